"""Rights of access."""
