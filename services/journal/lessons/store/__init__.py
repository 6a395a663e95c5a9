"""Lessons and attendance in SQL, and what all saves of the journal share."""
