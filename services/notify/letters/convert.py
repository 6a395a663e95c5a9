"""Deliveries in protobuf, and access's students as notify keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from diary.access.v1 import roster_pb2
from diary.notify.v1 import delivery_pb2
from services.notify.letters.rules import Delivery, Placement, State, StudentPlace


def read_places(entries: Iterable[roster_pb2.RosterEntry]) -> list[StudentPlace]:
    """Students' classes."""
    students = [entry.student for entry in entries]
    return [
        StudentPlace(
            UUID(student.student_id),
            UUID(student.class_id) if student.class_id else None,
            student.version,
            _read_placements(student),
        )
        for student in students
    ]


def write_delivery(delivery: Delivery) -> delivery_pb2.Delivery:
    """The message of a delivery; one that is being sent still waits for those who look."""
    state = State.WAITING if delivery.state is State.SENDING else delivery.state
    return delivery_pb2.Delivery(
        delivery_id=str(delivery.delivery_id),
        kind=delivery_pb2.NoticeKind.ValueType(delivery.kind),
        account_id=str(delivery.account_id or ""),
        student_id=str(delivery.student_id or ""),
        state=delivery_pb2.DeliveryState.ValueType(state),
        attempt_count=delivery.attempt_count,
        provider_answer=delivery.provider_answer,
        create_time=_timestamp(delivery.create_time),
        send_time=_timestamp(delivery.send_time) if delivery.send_time else None,
    )


def _timestamp(moment: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def _read_placements(message: roster_pb2.RosterStudent) -> tuple[Placement, ...]:
    """The times in classes; access of the release before tells the class alone, which then is that of ever."""
    if not message.placements and message.class_id:
        return (Placement(UUID(message.class_id), datetime.min.replace(tzinfo=UTC), None),)
    return tuple(
        Placement(
            UUID(placement.class_id),
            placement.from_time.ToDatetime(tzinfo=UTC),
            placement.to_time.ToDatetime(tzinfo=UTC) if placement.HasField("to_time") else None,
        )
        for placement in message.placements
    )
