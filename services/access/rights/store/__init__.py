"""Store of rights."""
