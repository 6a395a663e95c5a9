"""Builders from answers to what templates show, and from forms to requests: pure."""
