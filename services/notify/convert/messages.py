"""Protobuf messages to dataclasses and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.names import find_called_name
from diary.access.v1 import credential_service_pb2, decision_service_pb2, grant_service_pb2, roster_service_pb2
from diary.documents.v1 import document_service_pb2
from diary.journal.v1 import diary_service_pb2
from diary.journal.v1 import events_pb2 as journal_events_pb2
from diary.notify.v1 import delivery_service_pb2, preference_service_pb2
from services.notify.rules import (
    Delivery,
    Ending,
    EndingCause,
    FirstSignIn,
    Placement,
    Preference,
    SignedDecision,
    State,
    StudentPlace,
    TaughtMark,
    find_last_day,
    one_line,
)


def read_marks(marks: Iterable[journal_events_pb2.RecordedMark]) -> list[tuple[UUID, UUID, int]]:
    """(student, mark, revision) of the marks that were given; those taken back have no value and are told by no letter."""
    return [(UUID(mark.student_id), UUID(mark.mark_id), mark.revision) for mark in marks if mark.HasField("value")]


def read_taught_marks(answer: diary_service_pb2.BatchGetMarksResponse, student_id: UUID) -> tuple[str, list[TaughtMark]]:
    """By what the student is called, and the marks in order of day and subject."""
    of_student = [mark for mark in answer.marks if UUID(mark.student_id) == student_id]
    marks = [
        TaughtMark(
            date.fromisoformat(mark.lesson_date),
            one_line(mark.subject_name),
            mark.value,
            one_line(mark.work_type_name),
            one_line(mark.topic),
            mark.revision > 1,
            mark.previous_value,
            one_line(mark.reason),
        )
        for mark in of_student
    ]
    marks.sort(key=lambda mark: (mark.lesson_day, mark.subject))
    return (_read_called_name(of_student[0]) if of_student else ""), marks


def read_first_sign_in(answer: credential_service_pb2.RedeemDeliveryResponse) -> FirstSignIn:
    """What the letter of first credentials says."""
    return FirstSignIn(
        answer.school_name,
        answer.application_number,
        date.fromisoformat(answer.application_date),
        answer.student_called_name,
        answer.login,
        answer.activation_token,
        read_instant(answer.expire_time),
        ZoneInfo(answer.time_zone),
    )


def read_ending(answer: grant_service_pb2.GetGrantEndingResponse, account_id: UUID) -> Ending:
    """What the letter to `account_id` tells."""
    return Ending(
        EndingCause(answer.cause),
        find_last_day(read_instant(answer.end_time), ZoneInfo(answer.time_zone)),
        one_line(answer.student_given_name),
        one_line(answer.school_name),
        one_line(answer.holder_name),
        UUID(answer.holder_account_id) == account_id,
        answer.is_student,
    )


def read_decision(
    receiver: decision_service_pb2.GetDecisionReceiverResponse, fetched: document_service_pb2.FetchDocumentResponse
) -> SignedDecision:
    """The paper and what it answers."""
    return SignedDecision(
        one_line(fetched.document.number),
        one_line(receiver.school_name),
        one_line(receiver.application_number),
        date.fromisoformat(receiver.application_date),
        fetched.pdf,
        fetched.scan,
        fetched.signature,
    )


def read_places(entries: Iterable[roster_service_pb2.RosterEntry]) -> list[StudentPlace]:
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


def write_preferences(preferences: Sequence[Preference], email: str) -> preference_service_pb2.GetPreferencesResponse:
    """The answer of GetPreferences."""
    return preference_service_pb2.GetPreferencesResponse(
        preferences=[write_preference(preference) for preference in preferences], email=email
    )


def write_preference(preference: Preference) -> preference_service_pb2.Preference:
    """The message of a preference."""
    return preference_service_pb2.Preference(
        student_id=str(preference.student_id), is_marks_letter_on=preference.is_marks_letter_on
    )


def write_delivery(delivery: Delivery) -> delivery_service_pb2.Delivery:
    """The message of a delivery; one that is being sent still waits for those who look."""
    state = State.WAITING if delivery.state is State.SENDING else delivery.state
    return delivery_service_pb2.Delivery(
        delivery_id=str(delivery.delivery_id),
        kind=delivery_service_pb2.NoticeKind.ValueType(delivery.kind),
        account_id=str(delivery.account_id or ""),
        student_id=str(delivery.student_id or ""),
        state=delivery_service_pb2.DeliveryState.ValueType(state),
        attempt_count=delivery.attempt_count,
        provider_answer=delivery.provider_answer,
        create_time=_timestamp(delivery.create_time),
        send_time=_timestamp(delivery.send_time) if delivery.send_time else None,
    )


def read_instant(message: Timestamp) -> datetime:
    """An instant in UTC."""
    return message.ToDatetime(tzinfo=UTC)


def _timestamp(moment: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def _read_called_name(mark: diary_service_pb2.MarkForLetter) -> str:
    """The whole name where the journal does not know its parts yet: it is never cut."""
    return one_line(find_called_name(mark.student) if mark.HasField("student") else mark.student_name)


def _read_placements(message: roster_service_pb2.RosterStudent) -> tuple[Placement, ...]:
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
