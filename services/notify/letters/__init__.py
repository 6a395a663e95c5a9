"""Deliveries: one letter to one receiver, when it is tried, and what became of it."""
