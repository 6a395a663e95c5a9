"""What a test stands in: a world for each service, and its neighbours."""
