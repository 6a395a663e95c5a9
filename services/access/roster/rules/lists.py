"""Classes, students and study groups as staff and the other services see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.access.people.rules.guardianships import GuardianKind
from services.access.people.rules.names import PersonName


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class of the current year; the teacher is None when none is appointed."""

    class_id: UUID
    name: str
    grades: list[int]
    teacher_name: PersonName | None
    student_count: int


@dataclass(frozen=True, slots=True)
class RosterClass:
    """A class (homeroom), with its class teacher of a day; None while it has none."""

    class_id: UUID
    name: str
    grades: list[int]
    version: int
    teacher_name: PersonName | None


@dataclass(frozen=True, slots=True)
class Placement:
    """A student's time in a class, from midnight to midnight of the school's zone; `to_time` None while open."""

    class_id: UUID
    from_time: datetime
    to_time: datetime | None


@dataclass(frozen=True, slots=True)
class RosterStudent:
    """A student; `class_id` is None when placed in none."""

    student_id: UUID
    name: PersonName
    sort_key: str
    class_id: UUID | None
    version: int
    placements: Sequence[Placement]


@dataclass(frozen=True, slots=True)
class ListedStudent:
    """A student of a list; the class is that of the first placement that is not over, None and empty without one."""

    student_id: UUID
    name: PersonName
    sort_key: str
    class_id: UUID | None
    class_name: str


@dataclass(frozen=True, slots=True)
class ListedGuardianship:
    """A guardianship in force; `to_date` is the day after the last, None without an end."""

    guardianship_id: UUID
    guardian_person_id: UUID
    name: PersonName
    sort_key: str
    student_id: UUID
    kind: GuardianKind
    document: str
    to_date: date | None


@dataclass(frozen=True, slots=True)
class Member:
    """A student's time in a study group; `to_date` is the day after the last."""

    student_id: UUID
    from_date: date
    to_date: date | None


@dataclass(frozen=True, slots=True)
class RosterStudyGroup:
    """A study group with its present teachers and all members, left ones too; `end_date` is the last day."""

    study_group_id: UUID
    class_id: UUID | None
    subject_name: str
    group_name: str
    is_marked: bool
    version: int
    start_date: date
    end_date: date | None
    teacher_names: list[PersonName]
    members: list[Member]
