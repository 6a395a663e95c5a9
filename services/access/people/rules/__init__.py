"""Decisions on the facts."""
