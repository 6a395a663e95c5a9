"""The lists in SQL."""
