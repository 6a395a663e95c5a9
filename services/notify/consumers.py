"""What notify learns from the events of others. Nothing is sent here: a delivery is written, and the job is woken."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from chassis import events, relations
from chassis.clock import Clock
from chassis.db import Database
from diary.access.v1 import events_pb2 as access_events
from diary.access.v1 import roster_service_pb2, roster_service_pb2_grpc
from diary.documents.v1 import document_service_pb2
from diary.documents.v1 import events_pb2 as document_events
from diary.journal.v1 import events_pb2 as journal_events
from services.notify.convert.messages import read_marks, read_places
from services.notify.store import deliveries, preferences


class Consumers:
    """Handlers of access's, journal's and documents' events."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        roster: roster_service_pb2_grpc.RosterServiceAsyncStub,
        projection: relations.Projection,
        news: asyncio.Event,
    ) -> None:
        self._database = database
        self._clock = clock
        self._roster = roster
        self._projection = projection
        self._news = news

    async def on_roster_changed(self, event: events.Event) -> None:
        """Keeps relations and students' classes current; other kinds of entries are not notify's concern."""
        changed = access_events.RosterChanged.FromString(event.payload)
        if changed.kind != roster_service_pb2.ROSTER_KIND_STUDENT:
            await self._projection.on_roster_changed(event)
            return
        answer = await self._roster.BatchGetRoster(
            roster_service_pb2.BatchGetRosterRequest(school_id=changed.school_id, kind=changed.kind, ids=changed.ids)
        )
        async with events.once(self._database, self._clock, event) as connection:
            if connection is not None:
                await preferences.put_students(connection, UUID(changed.school_id), read_places(answer.entries))

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
        """One delivery for each event, student and account that may read and wants to hear; of marks that were told already in
        the same revisions none, whatever event tells them again.
        """
        await self._tell_marks({event: journal_events.MarksRecorded.FromString(event.payload).marks for event in many})

    async def on_marks_corrected(self, many: Sequence[events.Event]) -> None:
        """The same for corrected marks."""
        await self._tell_marks({event: [journal_events.MarkCorrected.FromString(event.payload).mark] for event in many})

    async def _tell_marks(self, marks: Mapping[events.Event, Sequence[journal_events.RecordedMark]]) -> None:
        written = 0
        async with events.once_each(self._database, self._clock, list(marks)) as (walk, by_school):
            for school_id, told in by_school.items():
                connection = await walk.enter(school_id)
                facts = [(event, *fact) for event in told for fact in read_marks(marks[event])]
                written += await deliveries.insert_marks(connection, school_id, facts, self._clock.now())
        if written:
            self._news.set()

    def handlers(self) -> dict[str, dict[str, events.Handler]]:
        """Handlers by publisher and subject."""
        return {
            "access": {
                access_events.RosterChanged.DESCRIPTOR.full_name: self.on_roster_changed,
                access_events.CredentialsReady.DESCRIPTOR.full_name: self.on_credentials_ready,
                access_events.AccessEndsSoon.DESCRIPTOR.full_name: self.on_access_ends_soon,
            },
            "documents": {document_events.DocumentSigned.DESCRIPTOR.full_name: self.on_document_signed},
            "journal": {
                journal_events.MarksRecorded.DESCRIPTOR.full_name: events.Together(self.on_marks_recorded),
                journal_events.MarkCorrected.DESCRIPTOR.full_name: events.Together(self.on_marks_corrected),
            },
        }
