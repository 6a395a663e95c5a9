"""Rpc of cases."""
