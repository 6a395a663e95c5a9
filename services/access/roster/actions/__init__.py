"""The acts that change the lists."""
