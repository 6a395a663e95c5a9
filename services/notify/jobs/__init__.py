"""What notify does on its own: sending what is due."""
