"""What happened and whom it is told to: a kind of news is one file."""
