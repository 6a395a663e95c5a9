"""access's roster entries as the journal keeps them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from chassis.names import PersonName
from chassis.places import read_placements
from chassis.relations import Relation, read_relation
from diary.access.v1 import person_name_pb2, roster_pb2
from services.journal.roster.rules import (
    Course,
    Member,
    School,
    SchoolClass,
    Student,
    build_class_key,
    build_name_key,
)


@dataclass(slots=True)
class Entries:
    """Roster entries of one school by kind."""

    schools: list[School] = field(default_factory=list)
    classes: list[SchoolClass] = field(default_factory=list)
    students: list[Student] = field(default_factory=list)
    courses: list[Course] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)


def read_entries(messages: Iterable[roster_pb2.RosterEntry]) -> Entries:
    """The entries of a page, whatever their kinds."""
    entries = Entries()
    for message in messages:
        match message.WhichOneof("entry"):
            case "school":
                entries.schools.append(_read_school(message.school))
            case "class":
                entries.classes.append(_read_class(getattr(message, "class")))
            case "student":
                entries.students.append(_read_student(message.student))
            case "study_group":
                entries.courses.append(_read_course(message.study_group))
            case "relation":
                entries.relations.append(read_relation(message.relation))
    return entries


def _read_school(message: roster_pb2.RosterSchool) -> School:
    return School(
        school_id=UUID(message.school.school_id),
        name=message.school.name,
        time_zone=message.school.time_zone,
        year_start_date=date.fromisoformat(message.year_start_date),
        year_end_date=date.fromisoformat(message.year_end_date),
        mark_min=message.mark_min,
        version=message.version,
        years=tuple((date.fromisoformat(y.start_date), date.fromisoformat(y.end_date)) for y in message.years),
    )


def _read_class(message: roster_pb2.RosterClass) -> SchoolClass:
    grades = tuple(message.grades)
    return SchoolClass(
        class_id=UUID(message.class_id),
        name=message.name,
        grades=grades,
        sort_key=build_class_key(message.name, grades),
        version=message.version,
    )


def _read_student(message: roster_pb2.RosterStudent) -> Student:
    return Student(
        student_id=UUID(message.student_id),
        display_name=message.display_name,
        name=read_name(message.name) if message.HasField("name") else None,
        sort_key=message.sort_key,
        class_id=_read_optional_id(message.class_id),
        version=message.version,
        placements=read_placements(message),
    )


def _read_course(message: roster_pb2.RosterStudyGroup) -> Course:
    return Course(
        course_id=UUID(message.study_group_id),
        class_id=_read_optional_id(message.class_id),
        subject_name=message.subject_name,
        group_name=message.group_name,
        sort_key=f"{build_name_key(message.subject_name)}\x1f{build_name_key(message.group_name)}",
        is_marked=message.is_marked,
        teacher_names=tuple(message.teacher_names),
        start_date=date.fromisoformat(message.start_date),
        end_date=date.fromisoformat(message.end_date),
        version=message.version,
        members=tuple(_read_member(member) for member in message.members),
    )


def _read_member(message: roster_pb2.StudyGroupMember) -> Member:
    return Member(
        student_id=UUID(message.student_id),
        from_date=date.fromisoformat(message.from_date),
        to_date=date.fromisoformat(message.to_date) if message.to_date else None,
    )


def _read_optional_id(text: str) -> UUID | None:
    return UUID(text) if text else None


def read_name(message: person_name_pb2.PersonName) -> PersonName:
    """A name in its parts."""
    return PersonName(message.family_name, message.given_name, message.patronymic)


def write_name(name: PersonName | None) -> person_name_pb2.PersonName | None:
    """The message of a name; none of one whose parts were not told yet."""
    if name is None:
        return None
    return person_name_pb2.PersonName(family_name=name.family_name, given_name=name.given_name, patronymic=name.patronymic)
