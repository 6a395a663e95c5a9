"""A student's and a class's week as messages."""
