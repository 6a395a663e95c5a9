"""The register of papers: who opens them, their seals, and what they are (Clauses R22, R23)."""
