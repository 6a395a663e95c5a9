"""What notify learns from the events of others. Nothing is sent here: a delivery is written, and the job is woken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from chassis import events, relations
from chassis.clock import Clock
from chassis.db import Connection, Database
from diary.access.v1 import events_pb2 as access_events
from diary.access.v1 import roster_service_pb2, roster_service_pb2_grpc
from diary.documents.v1 import document_service_pb2
from diary.documents.v1 import events_pb2 as document_events
from diary.journal.v1 import events_pb2 as journal_events
from services.notify.convert.messages import read_marks, read_places
from services.notify.store import deliveries, preferences


class Consumers(events.Handlers):
    """Handlers of access's, journal's and documents' events."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        roster: roster_service_pb2_grpc.RosterServiceAsyncStub,
        projection: relations.Projection,
        news: asyncio.Event,
    ) -> None:
        super().__init__(database, clock)
        self._roster = roster
        self._projection = projection
        self._news = news

    @events.on(access_events.RosterChanged)
    async def on_roster_changed(self, changed: access_events.RosterChanged, _: events.Event) -> events.Effect | None:
        """Keeps relations and students' classes current; other kinds of entries are not notify's concern."""
        if changed.kind != roster_service_pb2.ROSTER_KIND_STUDENT:
            return await self._projection.on_roster_changed(changed)
        answer = await self._roster.BatchGetRoster(
            roster_service_pb2.BatchGetRosterRequest(school_id=changed.school_id, kind=changed.kind, ids=changed.ids)
        )
        places = read_places(answer.entries)
        return events.Effect(lambda connection: preferences.put_students(connection, UUID(changed.school_id), places))

    @events.on(access_events.CredentialsReady, events.WORK)
    async def on_credentials_ready(self, ready: access_events.CredentialsReady, event: events.Event) -> events.Effect:
        """One delivery of first credentials; the secret is minted when it is sent."""
        ids, now = (UUID(ready.school_id), UUID(ready.account_id), UUID(ready.grant_id)), self.clock.now()
        return self._written(lambda connection: deliveries.insert_credentials(connection, *ids, event, now))

    @events.on(access_events.AccessEndsSoon, events.WORK)
    async def on_access_ends_soon(self, ending: access_events.AccessEndsSoon, event: events.Event) -> events.Effect:
        """One warning to the account that shall know (R6, R13); whether it is still true is asked when it is sent."""
        ids = UUID(ending.school_id), UUID(ending.account_id), UUID(ending.student_id), UUID(ending.grant_id)
        now = self.clock.now()
        return self._written(lambda connection: deliveries.insert_access_ends(connection, *ids, event, now))

    @events.on(document_events.DocumentSigned)
    async def on_document_signed(self, signed: document_events.DocumentSigned, event: events.Event) -> events.Effect | None:
        """One delivery of a signed refusal to its applicant (R23); whether it is wanted is asked when it is sent."""
        if signed.kind != document_service_pb2.DOCUMENT_KIND_REFUSAL:
            return None
        ids, now = (UUID(signed.school_id), UUID(signed.applicant_id), UUID(signed.document_id)), self.clock.now()
        return self._written(lambda connection: deliveries.insert_decision(connection, *ids, event, now))

    @events.on_many(journal_events.MarksRecorded)
    async def on_marks_recorded(self, many: Mapping[events.Event, journal_events.MarksRecorded]) -> None:
        """One delivery for each event, student and account that may read and wants to hear; of marks that were told already in
        the same revisions none, whatever event tells them again.
        """
        await self._tell_marks({event: told.marks for event, told in many.items()})

    @events.on_many(journal_events.ClassRecorded)
    async def on_classes_recorded(self, many: Mapping[events.Event, journal_events.ClassRecorded]) -> None:
        """The same for the marks of lessons recorded in one piece; some have none."""
        await self._tell_marks({event: told.marks.marks for event, told in many.items()})

    @events.on_many(journal_events.MarkCorrected)
    async def on_marks_corrected(self, many: Mapping[events.Event, journal_events.MarkCorrected]) -> None:
        """The same for corrected marks."""
        await self._tell_marks({event: [told.mark] for event, told in many.items()})

    def _written(self, write: Callable[[Connection], Awaitable[object]]) -> events.Effect:
        """Deliveries are written; the job that sends is woken."""
        return events.Effect(write, then=self._news.set)

    async def _tell_marks(self, marks: Mapping[events.Event, Sequence[journal_events.RecordedMark]]) -> None:
        written = 0
        async with events.once_each(self.database, self.clock, list(marks)) as (walk, by_school):
            for school_id, told in by_school.items():
                connection = await walk.enter(school_id)
                facts = [(event, *fact) for event in told for fact in read_marks(marks[event])]
                written += await deliveries.insert_marks(connection, school_id, facts, self.clock.now())
        if written:
            self._news.set()
