"""Credential slips (Clause R25)."""
