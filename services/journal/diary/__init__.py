"""What families read of it all, and what letters and printouts say."""
