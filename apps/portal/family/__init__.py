"""What families read and file."""
