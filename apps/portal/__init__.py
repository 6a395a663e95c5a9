"""The web client: pages in Russian, made on the server; speaks to the gateway only."""
