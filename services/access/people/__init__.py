"""People of access."""
