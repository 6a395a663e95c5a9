"""What gateway and services hold alike. Without imports, since the gateway's part is read where no service runs."""

# Of a request whose method states no `request_bytes`.
REQUEST_BYTES = 65_536
