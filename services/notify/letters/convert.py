"""Deliveries in protobuf."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from diary.notify.v1 import delivery_pb2, events_pb2
from services.notify.letters.rules import Delivery, Next, State
from services.notify.news.rules import Taken


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


def write_end(
    taken: Taken, following: Next, names_object: str
) -> events_pb2.DeliverySucceeded | events_pb2.DeliveryFailed | None:
    """What the others are told when a delivery has come to its end, by whatever name they know what it tells of."""
    names = {"school_id": str(taken.school_id), "delivery_id": str(taken.delivery_id)}
    if names_object:
        names[names_object] = str(taken.object_id)
    match following.state:
        case State.SENT:
            return events_pb2.DeliverySucceeded(**names)
        case State.FAILED:
            return events_pb2.DeliveryFailed(**names)
        case _:
            return None


def _timestamp(moment: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message
