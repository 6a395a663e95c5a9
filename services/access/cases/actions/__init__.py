"""Actions of cases."""
