"""The facts in SQL."""
