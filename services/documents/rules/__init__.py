"""Decisions of documents as pure functions of values."""
