"""Oversight of access."""
