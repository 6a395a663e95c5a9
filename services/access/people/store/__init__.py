"""Store of people."""
