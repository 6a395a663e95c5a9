"""Actions of rights."""
