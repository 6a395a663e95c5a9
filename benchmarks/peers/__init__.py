"""Frozen peers: what a team would build instead. See README.md."""
