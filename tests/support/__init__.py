"""What tests stand on: real backends, and waiting without sleeping."""
