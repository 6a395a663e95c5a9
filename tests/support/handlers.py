"""The handlers of events that each service has, wherever they stand in it."""

import importlib
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from chassis import events
from chassis.auth import ServiceToken
from chassis.clock import SystemClock
from chassis.run import Frame

SERVICES = ("access", "journal", "notify", "documents")


def handlers_of(service: str, keys_dir: Path) -> dict[str, events.Handler]:
    """A service's handlers by subject. The service is built of a database and a bus, and asks nothing of them yet."""
    nothing: Any = None
    settings = importlib.import_module(f"services.{service}.config").Settings(database_url=SecretStr(""), keys_dir=keys_dir)
    frame = Frame(SystemClock(), nothing, nothing, ServiceToken(keys_dir, service, SystemClock()))
    found: dict[str, events.Handler] = importlib.import_module(f"services.{service}.__main__").build(settings, frame).handlers
    return found
