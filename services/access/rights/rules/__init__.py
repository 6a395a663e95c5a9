"""Rules of rights."""
