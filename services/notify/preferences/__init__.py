"""Addresses of accounts, and what accounts want to hear (R4)."""
