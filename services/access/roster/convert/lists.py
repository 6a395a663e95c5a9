"""The roster between protobuf and dataclasses: lists for staff, entries for the other services, acts."""

from datetime import date, timedelta
from uuid import UUID

from diary.access.v1 import (
    roster_pb2,
    roster_service_pb2,
    student_pb2,
)
from services.access.people.convert.dates import read_date, read_optional_date
from services.access.people.convert.guardianships import GUARDIAN_KIND_NUMBERS
from services.access.people.convert.names import person_name
from services.access.people.convert.schools import school
from services.access.people.rules.guardianships import AuthorityEnding
from services.access.people.rules.names import build_display_name, build_short_name
from services.access.people.rules.schools import RosterSchool
from services.access.roster.rules.lists import (
    ClassRow,
    ListedGuardianship,
    ListedStudent,
    Placement,
    RosterClass,
    RosterStudent,
    RosterStudyGroup,
)

_DAY = timedelta(days=1)


def school_class(row: ClassRow) -> student_pb2.SchoolClass:
    """A class as staff see it."""
    return student_pb2.SchoolClass(
        class_id=str(row.class_id),
        name=row.name,
        grades=row.grades,
        class_teacher_name=build_display_name(row.teacher_name) if row.teacher_name else "",
        class_teacher=person_name(row.teacher_name) if row.teacher_name else None,
        student_count=row.student_count,
    )


def school_entry(row: RosterSchool) -> roster_pb2.RosterEntry:
    """A school as the other services keep it."""
    return roster_pb2.RosterEntry(
        school=roster_pb2.RosterSchool(
            school=school(row.school),
            version=row.version,
            year_start_date=_date(row.year_start_date),
            year_end_date=_date(row.year_end_date),
            mark_min=row.mark_min,
            years=[roster_pb2.SchoolYear(start_date=first.isoformat(), end_date=last.isoformat()) for first, last in row.years],
        )
    )


def class_entry(row: RosterClass) -> roster_pb2.RosterEntry:
    """A class as the other services keep it."""
    entry = roster_pb2.RosterEntry()
    # The field's name is a word of Python.
    getattr(entry, "class").CopyFrom(
        roster_pb2.RosterClass(
            class_id=str(row.class_id),
            name=row.name,
            grades=row.grades,
            version=row.version,
            class_teacher_name=build_display_name(row.teacher_name) if row.teacher_name else "",
        )
    )
    return entry


def student_entry(row: RosterStudent) -> roster_pb2.RosterEntry:
    """A student as the other services keep it."""
    return roster_pb2.RosterEntry(
        student=roster_pb2.RosterStudent(
            student_id=str(row.student_id),
            display_name=build_display_name(row.name),
            name=person_name(row.name),
            sort_key=row.sort_key,
            class_id=_id(row.class_id),
            version=row.version,
            placements=[_placement(placement) for placement in row.placements],
        )
    )


def _placement(row: Placement) -> roster_pb2.StudentPlacement:
    message = roster_pb2.StudentPlacement(class_id=str(row.class_id))
    message.from_time.FromDatetime(row.from_time)
    if row.to_time is not None:
        message.to_time.FromDatetime(row.to_time)
    return message


def study_group_entry(row: RosterStudyGroup) -> roster_pb2.RosterEntry:
    """A study group as the other services keep it."""
    return roster_pb2.RosterEntry(
        study_group=roster_pb2.RosterStudyGroup(
            study_group_id=str(row.study_group_id),
            class_id=_id(row.class_id),
            subject_name=row.subject_name,
            group_name=row.group_name,
            is_marked=row.is_marked,
            teacher_names=[build_short_name(name) for name in row.teacher_names],
            teachers=[person_name(name) for name in row.teacher_names],
            members=[
                roster_pb2.StudyGroupMember(
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


def _date(day: date | None) -> str:
    return day.isoformat() if day else ""


def _id(uuid: UUID | None) -> str:
    return str(uuid) if uuid else ""


def student(row: ListedStudent) -> student_pb2.Student:
    """A student to register an application for."""
    return student_pb2.Student(
        student_id=str(row.student_id),
        display_name=build_display_name(row.name),
        name=person_name(row.name),
        class_id=str(row.class_id) if row.class_id else "",
        class_name=row.class_name,
    )


def guardianship(row: ListedGuardianship) -> student_pb2.Guardianship:
    """A guardianship with its last day."""
    return student_pb2.Guardianship(
        guardianship_id=str(row.guardianship_id),
        guardian_person_id=str(row.guardian_person_id),
        guardian_name=build_display_name(row.name),
        guardian=person_name(row.name),
        student_id=str(row.student_id),
        kind=GUARDIAN_KIND_NUMBERS[row.kind],
        document=row.document,
        to_date=(row.to_date - _DAY).isoformat() if row.to_date else "",
    )


def leaving(request: roster_service_pb2.EndEnrolmentRequest) -> tuple[UUID, date, str, date]:
    """The student, the last day, the order's number and date. Raises InvalidArgument REQUEST_INVALID at no civil date."""
    last_day, order_date = (read_date(name, getattr(request, name)) for name in ("last_date", "order_date"))
    return UUID(request.student_id), last_day, request.order_number, order_date


def guardianship_end(
    request: roster_service_pb2.EndGuardianshipRequest,
) -> tuple[AuthorityEnding, str, date | None]:
    """How a guardianship ends: the kind, the act's number and date. Raises InvalidArgument REQUEST_INVALID at no civil date."""
    ending = AuthorityEnding(request.ending or AuthorityEnding.OTHER)
    return ending, request.act_number.strip(), read_optional_date("act_date", request.act_date)
