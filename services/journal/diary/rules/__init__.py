"""A student's and a class's week, decided."""
