"""The access service; README.md says what it owns."""
