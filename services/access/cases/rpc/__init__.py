"""The RPCs of cases."""
