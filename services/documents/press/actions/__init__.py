"""Where files are made and read, one at a time."""
