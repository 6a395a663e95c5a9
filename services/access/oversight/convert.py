"""Deadlines between protobuf and dataclasses."""

from datetime import UTC, datetime

from diary.access.v1 import deadline_pb2
from diary.documents.v1 import events_pb2
from services.access.oversight.rules import ListedDeadline, find_state


def deadline(listed: ListedDeadline, now: datetime) -> deadline_pb2.Deadline:
    """A deadline as it now is."""
    message = deadline_pb2.Deadline(
        clause=listed.clause,
        subject_id=listed.subject_id,
        evidence_id=listed.evidence_id,
        state=deadline_pb2.DeadlineState.Value(f"DEADLINE_STATE_{find_state(listed, now).name}"),
        application_id=str(listed.application_id or ""),
    )
    message.start_time.FromDatetime(listed.start_time)
    message.due_time.FromDatetime(listed.due_time)
    if listed.met_time is not None:
        message.met_time.FromDatetime(listed.met_time)
    return message


def known_deadline(message: events_pb2.DeadlineChanged) -> ListedDeadline:
    """A deadline as its owner tells it."""
    return ListedDeadline(
        clause=message.clause,
        subject_id=message.subject_id,
        start_time=message.start_time.ToDatetime(UTC),
        due_time=message.due_time.ToDatetime(UTC),
        met_time=message.met_time.ToDatetime(UTC) if message.HasField("met_time") else None,
        evidence_id=message.evidence_id,
    )
