"""What documents learns from the events of the journal."""

from datetime import date, timedelta
from uuid import UUID

from chassis import events
from chassis.clock import Clock
from chassis.db import Database
from diary.journal.v1 import events_pb2
from services.documents import actions
from services.documents.store import deadlines


class Consumers:
    """Handlers of the journal's events."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def on_lesson_recorded(self, event: events.Event) -> None:
        """A week with a held lesson has its term (Clause R7), where the class has families on paper: it was printed for."""
        recorded = events_pb2.LessonRecorded.FromString(event.payload)
        if not recorded.class_id or not recorded.lesson_date:
            return
        school_id, class_id = UUID(recorded.school_id), UUID(recorded.class_id)
        day = date.fromisoformat(recorded.lesson_date)
        async with events.once(self._database, self._clock, event) as connection:
            if connection is not None and (zone := await deadlines.find_paper_zone(connection, school_id, class_id)):
                monday = day - timedelta(days=day.weekday())
                await actions.begin_week(connection, self._clock, school_id, class_id, monday, zone)

    def handlers(self) -> dict[str, events.Handler]:
        """Handlers by subject."""
        return {events_pb2.LessonRecorded.DESCRIPTOR.full_name: self.on_lesson_recorded}
