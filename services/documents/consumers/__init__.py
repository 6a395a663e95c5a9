"""What documents learns from the events of access and of the journal."""
