"""Pages: each asks the gateway, builds a view and renders its template."""
