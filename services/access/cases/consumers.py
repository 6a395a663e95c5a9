"""Notes in a refused case how its papers were made, signed and sent, as their owners tell it (Clauses R22, R23, R26)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from chassis import events
from chassis.db import Connection
from chassis.errors import FailedPrecondition, NotFound
from diary.documents.v1 import document_pb2
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


class Consumers(events.Handlers):
    """Handlers of events."""

    @events.on(document_events.DocumentIssued)
    async def on_document_issued(self, told: document_events.DocumentIssued, event: events.Event) -> events.Effect | None:
        """A refusal's paper was made for an applicant (Clause R22)."""
        if told.kind != document_pb2.DOCUMENT_KIND_REFUSAL:
            return None
        ids = UUID(told.school_id), UUID(told.document_id), UUID(told.application_id), UUID(told.applicant_id)
        return events.Effect(lambda connection: decision_papers.note_issued(connection, *ids, event.fact_time))

    @events.on(document_events.DocumentSigned)
    async def on_document_signed(self, told: document_events.DocumentSigned, event: events.Event) -> events.Effect | None:
        """A refusal's paper got the head's signature (Clause R22); it may be told before the paper itself."""
        if told.kind != document_pb2.DOCUMENT_KIND_REFUSAL:
            return None
        ids = UUID(told.school_id), UUID(told.document_id), UUID(told.application_id), UUID(told.applicant_id)

        async def note(connection: Connection) -> None:
            await decision_papers.note_issued(connection, *ids, event.fact_time)
            await decision_papers.note_signed(connection, *ids[:3], signing(told), event.fact_time)

        return events.Effect(note)

    @events.on(notify_events.DeliverySucceeded)
    async def on_delivery_succeeded(self, told: notify_events.DeliverySucceeded, event: events.Event) -> events.Effect | None:
        """A letter with a decision was accepted by the mail server (Clauses R23, R26)."""
        if not told.document_id:
            return None

        async def note(connection: Connection) -> None:
            ids, channel = (UUID(told.school_id), UUID(told.document_id)), DecisionChannel.EMAIL
            async with _once_the_paper_is_signed():
                await decision_papers.note_given(connection, *ids, channel, None, event.fact_time)

        return events.Effect(note)

    @events.on(notify_events.DeliveryFailed)
    async def on_delivery_failed(self, told: notify_events.DeliveryFailed, event: events.Event) -> events.Effect | None:
        """A letter with a decision was given up: the case says so, and that it is to be given in person (Clause R26)."""
        if not told.document_id:
            return None

        async def note(connection: Connection) -> None:
            ids = UUID(told.school_id), UUID(told.document_id)
            async with _once_the_paper_is_signed():
                await decision_papers.note_not_delivered(connection, *ids, event.fact_time)

        return events.Effect(note)
