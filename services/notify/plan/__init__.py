"""Which deliveries tell a piece of news, over which channel and when."""
