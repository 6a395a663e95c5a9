"""The RPCs of oversight."""
