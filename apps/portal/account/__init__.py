"""Signing in, the first sign-in, the second factor."""
