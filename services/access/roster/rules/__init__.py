"""Decisions on lists."""
