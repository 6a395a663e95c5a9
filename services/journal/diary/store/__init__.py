"""A student's and a class's week in SQL."""
