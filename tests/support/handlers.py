"""The handlers of events that each service has, wherever they stand in it."""

import importlib

from chassis import events

SERVICES = ("access", "journal", "notify", "documents")


def handlers_of(service: str) -> dict[str, events.Handler]:
    """A service's handlers by subject. Which there are depends on nothing that they are built of."""
    importlib.import_module(f"services.{service}.__main__")
    own = [each for each in events.Handlers.__subclasses__() if each.__module__.startswith(f"services.{service}.")]
    found = [one for each in own for one in each.__new__(each).handlers().items()]
    assert len(dict(found)) == len(found), f"{service} handles an event twice"
    return dict(found)
