"""Rpc of rights."""
