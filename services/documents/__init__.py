"""The documents service; README.md says what it owns."""
