"""What a student's week consists of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from uuid import UUID


class LessonKey(NamedTuple):
    """A lesson and all that its card is made of, by version: equal keys, equal cards."""

    lesson_id: UUID
    revision: int
    course_version: int
    work_types_version: int


@dataclass(frozen=True, slots=True)
class WeekMark:
    """A mark as it now stands."""

    mark_id: UUID
    value: int
    revision: int


@dataclass(slots=True)
class Week:
    """A student's week, in no order; marks and absence codes by lesson."""

    sees_illness: bool
    lessons: list[LessonKey] = field(default_factory=list)
    marks: dict[UUID, list[WeekMark]] = field(default_factory=dict)
    absences: dict[UUID, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LessonContent:
    """What a lesson is, alike for all its students, as of its key."""

    key: LessonKey
    lesson_date: date
    lesson_number: int
    state: int
    subject_name: str
    teacher_names: Sequence[str]
    topic: str
    homework: str
    work_type_name: str
    course_id: UUID
