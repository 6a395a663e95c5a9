"""Decisions on cases."""
