"""Journals and lessons."""
