"""Rights in SQL."""
