"""What anyone may verify of papers and sheets."""
