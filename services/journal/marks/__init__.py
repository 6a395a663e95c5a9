"""Marks and their history, the page of a course, a class's lesson in one piece, a lesson withdrawn."""
