"""Rules of roster."""
