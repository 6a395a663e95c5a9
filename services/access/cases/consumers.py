"""Notes in a refused case how its papers were made, signed and sent, as their owners tell it (Clauses R22, R23, R26)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from chassis import events
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import FailedPrecondition, NotFound
from diary.documents.v1 import document_service_pb2
from diary.documents.v1 import events_pb2 as document_events
from diary.notify.v1 import events_pb2 as notify_events
from services.access.cases.actions import decision_papers
from services.access.cases.convert.decisions import signing
from services.access.cases.rules.decisions import DecisionChannel

# What became of a paper's letter may be told before the paper or its signature: by another service, and order is not promised.
_TOO_EARLY_SECONDS = 2.0


@asynccontextmanager
async def _once_the_paper_is_signed() -> AsyncIterator[None]:
    try:
        yield
    except (NotFound, FailedPrecondition) as error:
        raise events.Later(_TOO_EARLY_SECONDS) from error


class Consumers:
    """Handlers of events."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def handlers(self) -> dict[str, dict[str, events.Handler]]:
        """By publisher and subject."""
        return {
            "documents": {
                document_events.DocumentIssued.DESCRIPTOR.full_name: self.on_document_issued,
                document_events.DocumentSigned.DESCRIPTOR.full_name: self.on_document_signed,
            },
            "notify": {
                notify_events.DeliverySucceeded.DESCRIPTOR.full_name: self.on_delivery_succeeded,
                notify_events.DeliveryFailed.DESCRIPTOR.full_name: self.on_delivery_failed,
            },
        }

    async def on_document_issued(self, event: events.Event) -> None:
        """A refusal's paper was made for an applicant (Clause R22)."""
        told = document_events.DocumentIssued.FromString(event.payload)
        if told.kind != document_service_pb2.DOCUMENT_KIND_REFUSAL:
            return
        ids = UUID(told.school_id), UUID(told.document_id), UUID(told.application_id), UUID(told.applicant_id)
        async with events.once(self._database, self._clock, event) as connection:
            if connection is not None:
                await decision_papers.note_issued(connection, *ids, event.fact_time)

    async def on_document_signed(self, event: events.Event) -> None:
        """A refusal's paper got the head's signature (Clause R22); it may be told before the paper itself."""
        told = document_events.DocumentSigned.FromString(event.payload)
        if told.kind != document_service_pb2.DOCUMENT_KIND_REFUSAL:
            return
        ids = UUID(told.school_id), UUID(told.document_id), UUID(told.application_id), UUID(told.applicant_id)
        async with events.once(self._database, self._clock, event) as connection:
            if connection is not None:
                await decision_papers.note_issued(connection, *ids, event.fact_time)
                await decision_papers.note_signed(connection, *ids[:3], signing(told), event.fact_time)

    async def on_delivery_succeeded(self, event: events.Event) -> None:
        """A letter with a decision was accepted by the mail server (Clauses R23, R26)."""
        told = notify_events.DeliverySucceeded.FromString(event.payload)
        if not told.document_id:
            return
        async with _once_the_paper_is_signed(), events.once(self._database, self._clock, event) as connection:
            if connection is not None:
                ids, channel = (UUID(told.school_id), UUID(told.document_id)), DecisionChannel.EMAIL
                await decision_papers.note_given(connection, *ids, channel, None, event.fact_time)

    async def on_delivery_failed(self, event: events.Event) -> None:
        """A letter with a decision was given up: the case says so, and that it is to be given in person (Clause R26)."""
        told = notify_events.DeliveryFailed.FromString(event.payload)
        if not told.document_id:
            return
        async with _once_the_paper_is_signed(), events.once(self._database, self._clock, event) as connection:
            if connection is not None:
                ids = UUID(told.school_id), UUID(told.document_id)
                await decision_papers.note_not_delivered(connection, *ids, event.fact_time)
