"""Pure builders: an answer of the gateway becomes what a template shows; what a person typed becomes a request."""
