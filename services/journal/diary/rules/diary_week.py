"""What a student's week consists of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

LESSON_KEY_BYTES = 32
_ID_BYTES = 16


class WeekMark(NamedTuple):
    """A mark as it now stands; the lesson's id as bytes, the mark's as text."""

    lesson_id: bytes
    mark_id: str
    value: int
    revision: int


class WeekAbsence(NamedTuple):
    """An absence by its code; the lesson's id as bytes."""

    lesson_id: bytes
    code: int


@dataclass(frozen=True, slots=True)
class Week:
    """A student's week. `lesson_keys` by day and number: id and versions of all that a lesson's card is made of, as bytes.

    Equal keys, equal cards. Ids stay bytes as the database gives them, since a UUID object costs more than all its use here.
    """

    sees_illness: bool
    lesson_keys: Sequence[bytes]
    marks: Sequence[WeekMark]
    absences: Sequence[WeekAbsence]


@dataclass(frozen=True, slots=True)
class LessonContent:
    """What a lesson is, alike for all its students, as of its key."""

    key: bytes
    lesson_id: UUID
    lesson_date: date
    lesson_number: int
    state: int
    subject_name: str
    teacher_names: Sequence[str]
    topic: str
    homework: str
    work_type_name: str
    course_id: UUID


def split_keys(keys: bytes) -> list[bytes]:
    """The keys of a week's lessons, of one piece."""
    return [keys[start : start + LESSON_KEY_BYTES] for start in range(0, len(keys), LESSON_KEY_BYTES)]


def read_lesson_id(key: bytes) -> bytes:
    """The lesson of a key."""
    return key[:_ID_BYTES]
