"""Actions of roster."""
