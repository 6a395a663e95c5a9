"""Keeps the one projection of all deadlines, as their owners tell them."""

from chassis import events
from diary.documents.v1 import events_pb2 as document_events
from services.access.oversight import store
from services.access.oversight.convert import known_deadline


class Consumers(events.Handlers):
    """Handlers of events."""

    @events.on(document_events.DeadlineChanged)
    async def on_deadline_changed(self, told: document_events.DeadlineChanged, event: events.Event) -> events.Effect | None:
        """Writes the deadline as its owner tells it; an older event changes nothing."""
        school_id = event.school_id
        if school_id is None:
            return None
        known = known_deadline(told)
        return events.Effect(lambda connection: store.save_known(connection, school_id, known, told.is_void, event.fact_time))
