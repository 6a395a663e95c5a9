"""Cases in SQL."""
