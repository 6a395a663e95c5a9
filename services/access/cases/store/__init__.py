"""Store of cases."""
