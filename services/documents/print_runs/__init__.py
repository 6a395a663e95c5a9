"""Weekly print runs of a class for its families on paper, and their term (Clauses R7, R8)."""
