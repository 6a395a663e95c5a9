"""What a page of the journal consists of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from chassis.names import PersonName
from services.journal.curriculum.rules import Period, WorkType
from services.journal.lessons.rules.attendance import AbsenceCode
from services.journal.lessons.rules.lessons import Lesson


@dataclass(frozen=True, slots=True)
class ListedCourse:
    """A course as staff see it; `class_id` None and `class_name` empty when it gathers several classes.

    `is_own`: the caller teaches it.
    """

    course_id: UUID
    subject_name: str
    class_id: UUID | None
    class_name: str
    group_name: str
    teacher_names: Sequence[str]
    is_marked: bool
    is_own: bool


@dataclass(frozen=True, slots=True)
class PageFrame:
    """A course that the caller may open. `teaches`: may record; `sees_illness`: is told of Б (decision 11)."""

    course: ListedCourse
    teaches: bool
    sees_illness: bool
    time_zone: str
    mark_min: int
    periods: Sequence[Period]
    work_types: Sequence[WorkType]


@dataclass(frozen=True, slots=True)
class PageStudent:
    """A student's row; `name` None until its parts are told."""

    student_id: UUID
    display_name: str
    name: PersonName | None


class PageMark(NamedTuple):
    """A mark as it now stands. Ids are texts, and it is a tuple: a page has a thousand, and only hands them on."""

    mark_id: str
    lesson_id: str
    student_id: str
    value: int
    revision: int


@dataclass(frozen=True, slots=True)
class PageAbsence:
    """An absence as it now stands."""

    lesson_id: UUID
    student_id: UUID
    code: AbsenceCode


@dataclass(frozen=True, slots=True)
class Page:
    """Students by name, lessons by date and number, marks and absences by lesson and student."""

    students: Sequence[PageStudent]
    lessons: Sequence[Lesson]
    marks: Sequence[PageMark]
    absences: Sequence[PageAbsence]


@dataclass(frozen=True, slots=True)
class MarkForLetter:
    """A mark with what a letter says of it; `name` of the student, None until its parts are told. `previous_value` is 0 where
    there was none.
    """

    mark_id: UUID
    student_id: UUID
    student_name: str
    subject_name: str
    lesson_date: date
    topic: str
    work_type_name: str
    value: int
    revision: int
    name: PersonName | None
    previous_value: int
    reason: str
