"""The journal service; README.md says what it owns."""
