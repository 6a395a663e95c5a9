"""How papers are signed: scans that the head confirms, and detached signatures (Clause R22)."""
