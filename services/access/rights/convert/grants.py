"""Grants and their events between protobuf and dataclasses."""

from datetime import datetime
from uuid import UUID

from chassis.names import find_called_name
from diary.access.v1 import (
    events_pb2,
    grant_pb2,
    grant_service_pb2,
)
from services.access.people.convert.names import person_name
from services.access.people.rules.names import build_display_name
from services.access.rights.rules.grants import EndingGrant, Grant, OwnGrant, write_application_number
from services.access.rights.rules.relations import GrantFact


def grant_ended(school_id: UUID, grant: GrantFact) -> events_pb2.GrantEnded:
    """The event of an ended grant."""
    return events_pb2.GrantEnded(
        school_id=str(school_id),
        grant_id=str(grant.fact_id),
        student_id=str(grant.student_id),
        account_id=str(grant.account_id),
    )


def grant(row: Grant) -> grant_pb2.Grant:
    """A grant as a list shows it."""
    message = grant_pb2.Grant(
        grant_id=str(row.grant_id),
        student_id=str(row.student_id),
        student_name=build_display_name(row.student_name),
        student=person_name(row.student_name),
        holder_person_id=str(row.holder_person_id),
        holder_name=build_display_name(row.holder_name),
        holder=person_name(row.holder_name),
        role=row.role,  # type: ignore[arg-type]
        application_number=row.application_number,
        application_date=row.application_date.isoformat(),
    )
    message.grant_time.FromDatetime(row.grant_time)
    if row.end_time is not None:
        message.end_time.FromDatetime(row.end_time)
    return message


def own_grant(row: OwnGrant) -> grant_pb2.OwnGrant:
    """A grant as its holder is told of it."""
    message = grant_pb2.OwnGrant(grant=grant(row.grant), has_case=row.has_case, may_apply_again=row.may_apply_again)
    if row.end_number is not None and row.end_year is not None:
        message.end_application_number = write_application_number(row.end_number, row.end_year)
        message.end_application_id = str(row.end_application_id)
    return message


def grant_ending(row: EndingGrant) -> grant_service_pb2.GetGrantEndingResponse:
    """An access that ends by itself, as a letter tells of it."""
    message = grant_service_pb2.GetGrantEndingResponse(
        cause=row.cause.value,  # type: ignore[arg-type]
        time_zone=row.time_zone,
        student_given_name=find_called_name(row.student_name),
        school_name=row.school_name,
        holder_account_id=str(row.account_id),
        holder_name=build_display_name(row.holder_name),
        holder=person_name(row.holder_name),
        is_student=row.is_student,
    )
    message.end_time.FromDatetime(row.end_time)
    return message


def access_ends_soon(
    school_id: UUID, grant_id: UUID, student_id: UUID, account_id: UUID, end_time: datetime
) -> events_pb2.AccessEndsSoon:
    """The event that asks notify to warn an account."""
    message = events_pb2.AccessEndsSoon(
        school_id=str(school_id), grant_id=str(grant_id), student_id=str(student_id), account_id=str(account_id)
    )
    message.end_time.FromDatetime(end_time)
    return message


def grant_issued(school_id: UUID, grant_id: UUID, student_id: UUID, account_id: UUID) -> events_pb2.GrantIssued:
    """The event of a new grant."""
    return events_pb2.GrantIssued(
        school_id=str(school_id), grant_id=str(grant_id), student_id=str(student_id), account_id=str(account_id)
    )


def credentials_ready(school_id: UUID, grant_id: UUID, account_id: UUID) -> events_pb2.CredentialsReady:
    """The event that asks notify to send first credentials."""
    return events_pb2.CredentialsReady(school_id=str(school_id), grant_id=str(grant_id), account_id=str(account_id))
