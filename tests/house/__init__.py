"""The house as a picture: wings, rooms and arrows, read from the import graph."""
