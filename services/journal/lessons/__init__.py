"""Lessons: their record, who was absent; and what all writes of the journal share."""
