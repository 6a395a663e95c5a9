"""Messages and letters to and from what notify decides with."""
