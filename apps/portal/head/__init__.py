"""What the head signs, and what head and administrator answer for."""
