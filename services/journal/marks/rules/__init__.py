"""Marks, their history and the page of a course, decided."""
