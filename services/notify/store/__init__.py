"""Every SQL statement of notify."""
