"""Rpc of oversight."""
