"""What is done with rights."""
