"""The notify service; README.md says what it owns."""
