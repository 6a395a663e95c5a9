"""Pages: what is asked, what is shown."""
