"""What the journal keeps of access's roster."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from chassis.names import PersonName
from chassis.placements import Placement
from services.journal.curriculum.rules import PeriodKind, choose_period_kind

# A course begins with a chain of its marks' history without a link (marks/rules/history.py).
EMPTY_HEAD = bytes(32)


@dataclass(frozen=True, slots=True)
class School:
    """A school with its years, both days inclusive. `mark_min`: lowest mark of the scale, 1 or 2; the highest is 5."""

    school_id: UUID
    name: str
    time_zone: str
    year_start_date: date
    year_end_date: date
    mark_min: int
    version: int
    years: tuple[tuple[date, date], ...]


@dataclass(frozen=True, slots=True)
class SchoolClass:
    """A class (homeroom); several grades in a combined one."""

    class_id: UUID
    name: str
    grades: tuple[int, ...]
    sort_key: str
    version: int

    @property
    def period_kind(self) -> PeriodKind:
        """What the class goes by."""
        return choose_period_kind(self.grades)


@dataclass(frozen=True, slots=True)
class Student:
    """A student; `class_id` None when placed in no class, `name` None when access did not tell its parts yet."""

    student_id: UUID
    display_name: str
    name: PersonName | None
    sort_key: str
    class_id: UUID | None
    version: int
    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A student's time in a course, both days inclusive; `to_date` None while open."""

    student_id: UUID
    from_date: date
    to_date: date | None


@dataclass(frozen=True, slots=True)
class Course:
    """A study group as the journal teaches it; `class_id` None when it gathers several classes."""

    course_id: UUID
    class_id: UUID | None
    subject_name: str
    group_name: str
    sort_key: str
    is_marked: bool
    teacher_names: tuple[str, ...]
    start_date: date
    end_date: date
    version: int
    members: tuple[Member, ...]


def build_name_key(name: str) -> str:
    """The key by which names are sorted: caseless, ё after е."""
    return name.casefold().replace("ё", "е\uffff")


def build_class_key(name: str, grades: tuple[int, ...]) -> str:
    """The key by which classes are sorted: lowest grade, then name."""
    return f"{min(grades, default=99):02} {build_name_key(name)}"
