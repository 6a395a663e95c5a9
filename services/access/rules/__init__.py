"""Decisions of access as pure functions of values."""
