"""Roster of access."""
