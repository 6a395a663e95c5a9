"""Sessions, their tokens and callers between protobuf and dataclasses."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from diary.access.v1 import (
    events_pb2,
    session_pb2,
)
from diary.options.v1 import options_pb2
from services.access.people.convert.names import person_name
from services.access.people.rules.names import PersonName, build_display_name
from services.access.rights.rules.callers import OpenStudent, Place


def sessions_ended(account_id: UUID, session_id: UUID) -> events_pb2.SessionsEnded:
    """The event of an ended session."""
    return events_pb2.SessionsEnded(account_id=str(account_id), session_ids=[str(session_id)])


def tokens(
    access_token: str, access_expire_time: datetime, refresh_token: str, refresh_expire_time: datetime, session_id: UUID
) -> session_pb2.SessionTokens:
    """The tokens of a session."""
    message = session_pb2.SessionTokens(access_token=access_token, refresh_token=refresh_token, session_id=str(session_id))
    message.access_expire_time.FromDatetime(access_expire_time)
    message.refresh_expire_time.FromDatetime(refresh_expire_time)
    return message


def role_names(roles: Iterable[int]) -> list[str]:
    """Roles as a token names them: lower case, without the prefix."""
    return sorted(options_pb2.Role.Name(role).removeprefix("ROLE_").lower() for role in roles)  # type: ignore[arg-type]


def caller_school(
    place: Place, name: PersonName, roles: Iterable[int], students: Iterable[OpenStudent]
) -> session_pb2.CallerSchool:
    """A place of the caller in a school."""
    return session_pb2.CallerSchool(
        school_id=str(place.school_id),
        school_name=place.school_name,
        time_zone=place.time_zone,
        person_id=str(place.person_id),
        display_name=build_display_name(name),
        name=person_name(name),
        roles=sorted(roles),  # type: ignore[arg-type]  # numbers of the enum
        students=[
            session_pb2.CallerStudent(
                student_id=str(student.student_id),
                display_name=build_display_name(student.name),
                name=person_name(student.name),
                class_name=student.class_name,
                role=student.role,  # type: ignore[arg-type]
            )
            for student in students
        ],
    )
