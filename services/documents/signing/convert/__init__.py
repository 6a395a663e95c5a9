"""Scans and signatures as they were uploaded."""
