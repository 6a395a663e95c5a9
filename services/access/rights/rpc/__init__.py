"""The RPCs of rights."""
