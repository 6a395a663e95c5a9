"""Where an account begins: over all wings."""
