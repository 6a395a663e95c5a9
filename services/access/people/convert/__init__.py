"""Convert of people."""
