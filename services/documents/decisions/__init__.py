"""Refusals become papers of the register (Clauses R22, R23)."""
