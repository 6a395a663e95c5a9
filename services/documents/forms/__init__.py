"""Blank forms (Clauses R8, R30, R31)."""
