"""Keeps the one projection of all deadlines, as their owners tell them."""

from chassis import events
from chassis.clock import Clock
from chassis.db import Database
from diary.access.v1 import events_pb2
from services.access.oversight import store
from services.access.oversight.convert import known_deadline

OWNERS = ("journal", "documents")


class Consumers:
    """Handlers of events."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def handlers(self) -> dict[str, dict[str, events.Handler]]:
        """By publisher and subject: every owner tells its deadlines by a message of the same shape."""
        return {owner: {f"diary.{owner}.v1.DeadlineChanged": self.on_deadline_changed} for owner in OWNERS}

    async def on_deadline_changed(self, event: events.Event) -> None:
        """Writes the deadline as its owner tells it; an older event changes nothing."""
        told = events_pb2.DeadlineChanged.FromString(event.payload)
        async with events.once(self._database, self._clock, event) as connection:
            if connection is not None and event.school_id is not None:
                await store.save_known(connection, event.school_id, known_deadline(told), told.is_void, event.fact_time)
