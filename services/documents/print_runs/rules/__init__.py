"""What a week owes whom on paper, who gets which sheet, and what stands on it."""
