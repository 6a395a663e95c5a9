"""What notify learns from the events of others. Nothing is sent here: a delivery is written, and the job is woken."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from chassis import events
from chassis.clock import Clock
from chassis.db import Connection, Database
from chassis.projection import Entries, Kinds, Projection, write_relations
from diary.access.v1 import events_pb2 as access_events
from diary.access.v1 import roster_service_pb2
from diary.documents.v1 import document_service_pb2
from diary.documents.v1 import events_pb2 as document_events
from diary.journal.v1 import events_pb2 as journal_events
from services.notify.letters.convert import read_marks, read_places
from services.notify.letters.store import deliveries
from services.notify.preferences import store as preferences


async def _write_places(connection: Connection, school_id: UUID, entries: Entries) -> None:
    await preferences.put_students(connection, school_id, read_places(entries))


KINDS: Kinds = {
    roster_service_pb2.ROSTER_KIND_STUDENT: _write_places,
    roster_service_pb2.ROSTER_KIND_RELATION: write_relations,
}


class Consumers:
    """Handlers of access's, journal's and documents' events."""

    def __init__(self, database: Database, clock: Clock, projection: Projection, news: asyncio.Event) -> None:
        self._database = database
        self._clock = clock
        self._projection = projection
        self._news = news

    async def on_credentials_ready(self, event: events.Event) -> None:
        """One delivery of first credentials; the secret is minted when it is sent."""
        ready = access_events.CredentialsReady.FromString(event.payload)
        async with events.once(self._database, self._clock, event) as connection:
            if connection is not None:
                await deliveries.insert_credentials(
                    connection,
                    UUID(ready.school_id),
                    UUID(ready.account_id),
                    UUID(ready.grant_id),
                    event,
                    self._clock.now(),
                )
        self._news.set()

    async def on_access_ends_soon(self, event: events.Event) -> None:
        """One warning to the account that shall know (R6, R13); whether it is still true is asked when it is sent."""
        ending = access_events.AccessEndsSoon.FromString(event.payload)
        async with events.once(self._database, self._clock, event) as connection:
            if connection is not None:
                await deliveries.insert_access_ends(
                    connection,
                    UUID(ending.school_id),
                    UUID(ending.account_id),
                    UUID(ending.student_id),
                    UUID(ending.grant_id),
                    event,
                    self._clock.now(),
                )
        self._news.set()

    async def on_document_signed(self, event: events.Event) -> None:
        """One delivery of a signed refusal to its applicant (R23); whether it is wanted is asked when it is sent."""
        signed = document_events.DocumentSigned.FromString(event.payload)
        if signed.kind != document_service_pb2.DOCUMENT_KIND_REFUSAL:
            return
        async with events.once(self._database, self._clock, event) as connection:
            if connection is not None:
                await deliveries.insert_decision(
                    connection,
                    UUID(signed.school_id),
                    UUID(signed.applicant_id),
                    UUID(signed.document_id),
                    event,
                    self._clock.now(),
                )
        self._news.set()

    async def on_marks_recorded(self, many: Sequence[events.Event]) -> None:
        """One delivery for each event, student and account that may read and wants to hear."""
        await self._tell_marks({event: journal_events.MarksRecorded.FromString(event.payload).marks for event in many})

    async def on_classes_recorded(self, many: Sequence[events.Event]) -> None:
        """The same for the marks of lessons recorded in one piece; some have none."""
        await self._tell_marks({event: journal_events.ClassRecorded.FromString(event.payload).marks.marks for event in many})

    async def on_marks_corrected(self, many: Sequence[events.Event]) -> None:
        """The same for corrected marks."""
        await self._tell_marks({event: [journal_events.MarkCorrected.FromString(event.payload).mark] for event in many})

    async def _tell_marks(self, marks: Mapping[events.Event, Sequence[journal_events.RecordedMark]]) -> None:
        written = 0
        async with events.once_each(self._database, self._clock, list(marks)) as (walk, by_school):
            for school_id, told in by_school.items():
                connection = await walk.enter(school_id)
                pairs = [(event, *pair) for event in told for pair in read_marks(marks[event])]
                written += await deliveries.insert_marks(connection, school_id, pairs, self._clock.now())
        if written:
            self._news.set()

    def handlers(self) -> dict[str, dict[str, events.Handler]]:
        """Handlers by publisher and subject."""
        return {
            "access": {
                access_events.RosterChanged.DESCRIPTOR.full_name: self._projection.on_roster_changed,
                access_events.CredentialsReady.DESCRIPTOR.full_name: self.on_credentials_ready,
                access_events.AccessEndsSoon.DESCRIPTOR.full_name: self.on_access_ends_soon,
            },
            "documents": {document_events.DocumentSigned.DESCRIPTOR.full_name: self.on_document_signed},
            "journal": {
                journal_events.MarksRecorded.DESCRIPTOR.full_name: events.Together(self.on_marks_recorded),
                journal_events.ClassRecorded.DESCRIPTOR.full_name: events.Together(self.on_classes_recorded),
                journal_events.MarkCorrected.DESCRIPTOR.full_name: events.Together(self.on_marks_corrected),
            },
        }
