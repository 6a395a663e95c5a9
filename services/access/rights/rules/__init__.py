"""Decisions on rights."""
