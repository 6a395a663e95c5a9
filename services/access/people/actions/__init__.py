"""What is done with the facts by more than one wing."""
