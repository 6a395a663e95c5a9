"""Between protobuf and dataclasses: schools, roster, sessions, grants. Cases and credentials have files of their own."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from chassis.names import find_called_name
from chassis.relations import Relation, write_relation
from diary.access.v1 import (
    events_pb2,
    grant_service_pb2,
    roster_service_pb2,
    school_service_pb2,
    session_service_pb2,
)
from diary.options.v1 import options_pb2
from services.access.cases.rules.applications import write_number
from services.access.people.convert.names import person_name
from services.access.people.rules.names import PersonName, build_display_name, build_short_name
from services.access.rights.rules.callers import OpenStudent, Place
from services.access.rights.rules.grants import EndingGrant, Grant, OwnGrant
from services.access.rights.rules.relations import GrantFact
from services.access.roster.rules.lists import (
    ClassRow,
    Placement,
    RosterClass,
    RosterSchool,
    RosterStudent,
    RosterStudyGroup,
    School,
)

_IDS_AN_EVENT = 500
_DAY = timedelta(days=1)


def relations_changed(school_id: UUID, relation_ids: Sequence[UUID]) -> Iterator[events_pb2.RosterChanged]:
    """Events that name changed relations."""
    return roster_changed(school_id, roster_service_pb2.ROSTER_KIND_RELATION, relation_ids)


def roster_changed(
    school_id: UUID, kind: roster_service_pb2.RosterKind.ValueType, ids: Sequence[UUID]
) -> Iterator[events_pb2.RosterChanged]:
    """Events that name changed entries of the roster."""
    for start in range(0, len(ids), _IDS_AN_EVENT):
        yield events_pb2.RosterChanged(
            school_id=str(school_id), kind=kind, ids=[str(entry_id) for entry_id in ids[start : start + _IDS_AN_EVENT]]
        )


def grant_ended(school_id: UUID, grant: GrantFact) -> events_pb2.GrantEnded:
    """The event of an ended grant."""
    return events_pb2.GrantEnded(
        school_id=str(school_id),
        grant_id=str(grant.fact_id),
        student_id=str(grant.student_id),
        account_id=str(grant.account_id),
    )


def sessions_ended(account_id: UUID, session_id: UUID) -> events_pb2.SessionsEnded:
    """The event of an ended session."""
    return events_pb2.SessionsEnded(account_id=str(account_id), session_ids=[str(session_id)])


def tokens(
    access_token: str, access_expire_time: datetime, refresh_token: str, refresh_expire_time: datetime, session_id: UUID
) -> session_service_pb2.SessionTokens:
    """The tokens of a session."""
    message = session_service_pb2.SessionTokens(
        access_token=access_token, refresh_token=refresh_token, session_id=str(session_id)
    )
    message.access_expire_time.FromDatetime(access_expire_time)
    message.refresh_expire_time.FromDatetime(refresh_expire_time)
    return message


def role_names(roles: Iterable[int]) -> list[str]:
    """Roles as a token names them: lower case, without the prefix."""
    return sorted(options_pb2.Role.Name(role).removeprefix("ROLE_").lower() for role in roles)  # type: ignore[arg-type]


def caller_school(
    place: Place, name: PersonName, roles: Iterable[int], students: Iterable[OpenStudent]
) -> session_service_pb2.CallerSchool:
    """A place of the caller in a school."""
    return session_service_pb2.CallerSchool(
        school_id=str(place.school_id),
        school_name=place.school_name,
        time_zone=place.time_zone,
        person_id=str(place.person_id),
        display_name=build_display_name(name),
        name=person_name(name),
        roles=sorted(roles),  # type: ignore[arg-type]  # numbers of the enum
        students=[
            session_service_pb2.CallerStudent(
                student_id=str(student.student_id),
                display_name=build_display_name(student.name),
                name=person_name(student.name),
                class_name=student.class_name,
                role=student.role,  # type: ignore[arg-type]
            )
            for student in students
        ],
    )


def grant(row: Grant) -> grant_service_pb2.Grant:
    """A grant as a list shows it."""
    message = grant_service_pb2.Grant(
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


def own_grant(row: OwnGrant) -> grant_service_pb2.OwnGrant:
    """A grant as its holder is told of it."""
    message = grant_service_pb2.OwnGrant(grant=grant(row.grant), has_case=row.has_case, may_apply_again=row.may_apply_again)
    if row.end_number is not None and row.end_year is not None:
        message.end_application_number = write_number(row.end_number, row.end_year)
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


def school(row: School) -> school_service_pb2.School:
    """A school as anyone may see it."""
    return school_service_pb2.School(
        school_id=str(row.school_id), code=row.code, name=row.name, full_name=row.full_name, time_zone=row.time_zone
    )


def school_class(row: ClassRow) -> roster_service_pb2.SchoolClass:
    """A class as staff see it."""
    return roster_service_pb2.SchoolClass(
        class_id=str(row.class_id),
        name=row.name,
        grades=row.grades,
        class_teacher_name=build_display_name(row.teacher_name) if row.teacher_name else "",
        class_teacher=person_name(row.teacher_name) if row.teacher_name else None,
        student_count=row.student_count,
    )


def school_entry(row: RosterSchool) -> roster_service_pb2.RosterEntry:
    """A school as the other services keep it."""
    return roster_service_pb2.RosterEntry(
        school=roster_service_pb2.RosterSchool(
            school=school(row.school),
            version=row.version,
            year_start_date=_date(row.year_start_date),
            year_end_date=_date(row.year_end_date),
            mark_min=row.mark_min,
            years=[
                roster_service_pb2.SchoolYear(start_date=first.isoformat(), end_date=last.isoformat())
                for first, last in row.years
            ],
        )
    )


def class_entry(row: RosterClass) -> roster_service_pb2.RosterEntry:
    """A class as the other services keep it."""
    entry = roster_service_pb2.RosterEntry()
    # The field's name is a word of Python.
    getattr(entry, "class").CopyFrom(
        roster_service_pb2.RosterClass(
            class_id=str(row.class_id),
            name=row.name,
            grades=row.grades,
            version=row.version,
            class_teacher_name=build_display_name(row.teacher_name) if row.teacher_name else "",
        )
    )
    return entry


def student_entry(row: RosterStudent) -> roster_service_pb2.RosterEntry:
    """A student as the other services keep it."""
    return roster_service_pb2.RosterEntry(
        student=roster_service_pb2.RosterStudent(
            student_id=str(row.student_id),
            display_name=build_display_name(row.name),
            name=person_name(row.name),
            sort_key=row.sort_key,
            class_id=_id(row.class_id),
            version=row.version,
            placements=[_placement(placement) for placement in row.placements],
        )
    )


def _placement(row: Placement) -> roster_service_pb2.StudentPlacement:
    message = roster_service_pb2.StudentPlacement(class_id=str(row.class_id))
    message.from_time.FromDatetime(row.from_time)
    if row.to_time is not None:
        message.to_time.FromDatetime(row.to_time)
    return message


def study_group_entry(row: RosterStudyGroup) -> roster_service_pb2.RosterEntry:
    """A study group as the other services keep it."""
    return roster_service_pb2.RosterEntry(
        study_group=roster_service_pb2.RosterStudyGroup(
            study_group_id=str(row.study_group_id),
            class_id=_id(row.class_id),
            subject_name=row.subject_name,
            group_name=row.group_name,
            is_marked=row.is_marked,
            teacher_names=[build_short_name(name) for name in row.teacher_names],
            teachers=[person_name(name) for name in row.teacher_names],
            members=[
                roster_service_pb2.StudyGroupMember(
                    student_id=str(member.student_id),
                    from_date=member.from_date.isoformat(),
                    to_date=_date(member.to_date - _DAY if member.to_date else None),
                )
                for member in row.members
            ],
            version=row.version,
            start_date=row.start_date.isoformat(),
            end_date=_date(row.end_date),
        )
    )


def relation_entry(relation: Relation) -> roster_service_pb2.RosterEntry:
    """A relation as the other services keep it."""
    return roster_service_pb2.RosterEntry(relation=write_relation(relation))


def _date(day: date | None) -> str:
    return day.isoformat() if day else ""


def _id(uuid: UUID | None) -> str:
    return str(uuid) if uuid else ""
