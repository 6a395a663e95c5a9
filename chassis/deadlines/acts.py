"""What becomes of a deadline, written and told: `told` is the DeadlineChanged of the service that owns it."""

from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from chassis import metrics, outbox
from chassis.clock import Clock
from chassis.db import Connection
from chassis.deadlines import Deadline, store


async def tell(
    connection: Connection, clock: Clock, told: type[Message], school_id: UUID, deadline: Deadline, *, is_void: bool = False
) -> None:
    """Tells how a deadline stands. In a transaction."""
    await outbox.add(connection, clock, write_changed(told, school_id, deadline, is_void=is_void), school_id)


async def settle(connection: Connection, clock: Clock, told: type[Message], school_id: UUID, deadline: Deadline) -> None:
    """A deadline was met, or is open again. In a transaction."""
    await store.update_met(connection, school_id, deadline)
    await tell(connection, clock, told, school_id, deadline)
    if deadline.met is not None:
        metrics.deadlines_met.labels(deadline.clause, str(deadline.met <= deadline.due).lower()).inc()


async def take_back(connection: Connection, clock: Clock, told: type[Message], school_id: UUID, deadline: Deadline) -> None:
    """A deadline never was. In a transaction."""
    await store.void_deadline(connection, school_id, deadline)
    await tell(connection, clock, told, school_id, deadline, is_void=True)


def write_changed(told: type[Message], school_id: UUID, deadline: Deadline, *, is_void: bool) -> Message:
    """The event of a deadline that began, was met, or was taken back."""
    message: Any = told(
        school_id=str(school_id),
        clause=deadline.clause,
        subject_id=deadline.subject,
        evidence_id=deadline.evidence,
        is_void=is_void,
    )
    message.start_time.FromDatetime(deadline.started)
    message.due_time.FromDatetime(deadline.due)
    if deadline.met is not None:
        message.met_time.FromDatetime(deadline.met)
    return message  # type: ignore[no-any-return]  # a message of `told`
