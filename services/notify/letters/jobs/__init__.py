"""What goes by time: sending what is due."""
