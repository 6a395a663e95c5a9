"""Where a call comes from."""

from chassis.interceptors import Context
from services.access.rights.rules.sign_in import read_address

# Written by the gateway, which drops what a client sends under this name; the portal hands on that of its visitor.
HEADER = "x-diary-client-address"


def client_address(context: Context) -> str:
    """The address of the person's device or line; empty when the gateway names none."""
    return read_address(str(dict(context.invocation_metadata() or ()).get(HEADER, "")))
