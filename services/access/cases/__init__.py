"""Cases of access."""
