"""Ids that the portal makes for requests and marks, so that a form sent twice is one request."""

import secrets
from uuid import UUID

from chassis.clock import Clock


def new_id(clock: Clock) -> str:
    """A UUIDv7: milliseconds since 1970, then 74 random bits."""
    milliseconds = int(clock.now().timestamp() * 1000)
    random = secrets.randbits(74)
    number = (milliseconds & (1 << 48) - 1) << 80 | 7 << 76 | (random >> 62) << 64 | 2 << 62 | random & (1 << 62) - 1
    return str(UUID(int=number))
