"""Paper families, runs with their sheets, and terms."""
