"""Store of roster."""
