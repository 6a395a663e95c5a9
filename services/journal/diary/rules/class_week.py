"""A class's week on paper (Clause R7): what of it is each student's own."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from chassis.names import PersonName
from services.journal.diary.rules.weeks import find_monday
from services.journal.lessons.rules.attendance import AbsenceCode

_MISSED = frozenset({AbsenceCode.ABSENT, AbsenceCode.EXCUSED, AbsenceCode.ILL})


@dataclass(frozen=True, slots=True)
class PeriodPlace:
    """The period a week lies in, and which of its calendar weeks it is, from 1; all empty in holidays."""

    name: str = ""
    week: int = 0
    week_count: int = 0


class ListedStudent(NamedTuple):
    """A student of the class list; `name` None until its parts are told."""

    student_id: UUID
    display_name: str
    name: PersonName | None


@dataclass(frozen=True, slots=True)
class ClassFrame:
    """A class and its students in the order of the class list."""

    class_name: str
    school_name: str
    time_zone: str
    period: PeriodPlace
    students: Sequence[ListedStudent]


class Membership(NamedTuple):
    """A student in a course during the week; `to_date` is the last day, None while it lasts."""

    student_id: UUID
    course_id: UUID
    from_date: date
    to_date: date | None
    subject_name: str
    is_marked: bool


class HeldLesson(NamedTuple):
    """A held lesson of the week."""

    lesson_id: UUID
    course_id: UUID
    lesson_date: date
    topic: str


class Revision(NamedTuple):
    """A revision of a mark of the period, up to the week's end. `weight` in hundredths; `is_of_week`: made in the week."""

    student_id: UUID
    course_id: UUID
    mark_id: UUID
    revision: int
    lesson_date: date
    value: int | None
    reason: str
    is_of_week: bool
    weight: int
    work_type_name: str
    topic: str


class Absence(NamedTuple):
    """An absence in the week, by its code."""

    student_id: UUID
    lesson_id: UUID
    code: int


@dataclass(frozen=True, slots=True)
class ClassRecords:
    """What the journal holds of the students: courses by name, lessons and marks by date, revisions ascending."""

    memberships: Sequence[Membership]
    lessons: Sequence[HeldLesson]
    revisions: Sequence[Revision]
    absences: Sequence[Absence]


@dataclass(frozen=True, slots=True)
class Correction:
    """A mark changed with a reason; None: there was no mark, or it was taken back."""

    lesson_date: date
    old_value: int | None
    new_value: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class SubjectWeek:
    """A course in a student's week. `marks`: newest revisions of the week's lessons; `topics` of a course without marks."""

    course_id: UUID
    subject_name: str
    is_marked: bool
    lesson_count: int
    missed_count: int
    marks: Sequence[Revision]
    mean_hundredths: int | None
    corrections: Sequence[Correction]
    topics: Sequence[str]


@dataclass(frozen=True, slots=True)
class StudentWeek:
    """A student's week; absences are counted in lessons, by code."""

    student_id: UUID
    display_name: str
    name: PersonName | None
    subjects: Sequence[SubjectWeek]
    absences: Mapping[AbsenceCode, int]


@dataclass(slots=True)
class _Own:
    """What is one student's own, by course."""

    memberships: dict[UUID, list[Membership]] = field(default_factory=lambda: defaultdict(list))
    histories: dict[UUID, dict[UUID, list[Revision]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    codes: dict[UUID, AbsenceCode] = field(default_factory=dict)


def place_in_period(name: str, start: date, end: date, monday: date) -> PeriodPlace:
    """Which calendar week of a period begins on a Monday."""
    first = find_monday(start)
    return PeriodPlace(name, (monday - first).days // 7 + 1, (find_monday(end) - first).days // 7 + 1)


def build_class_week(students: Sequence[ListedStudent], records: ClassRecords, monday: date) -> list[StudentWeek]:
    """The weeks of students, in their order; each is made of the student's own records alone."""
    own: dict[UUID, _Own] = defaultdict(_Own)
    for membership in records.memberships:
        own[membership.student_id].memberships[membership.course_id].append(membership)
    for revision in records.revisions:
        own[revision.student_id].histories[revision.course_id][revision.mark_id].append(revision)
    for absence in records.absences:
        own[absence.student_id].codes[absence.lesson_id] = AbsenceCode(absence.code)
    lessons: dict[UUID, list[HeldLesson]] = defaultdict(list)
    for lesson in records.lessons:
        lessons[lesson.course_id].append(lesson)
    return [_build_student(student, own[student.student_id], lessons, monday) for student in students]


def find_mean(marks: Iterable[tuple[int, int]]) -> int | None:
    """Weighted mean of (value, weight) in hundredths, halves up; None without marks."""
    total = weights = 0
    for value, weight in marks:
        total += value * weight
        weights += weight
    return (200 * total + weights) // (2 * weights) if weights else None


def _build_student(
    student: ListedStudent, own: _Own, lessons: Mapping[UUID, Sequence[HeldLesson]], monday: date
) -> StudentWeek:
    attended = {
        course_id: [lesson for lesson in lessons.get(course_id, ()) if any(_covers(one, lesson) for one in memberships)]
        for course_id, memberships in own.memberships.items()
    }
    subjects = [
        _build_subject(memberships[0], attended[course_id], own, monday) for course_id, memberships in own.memberships.items()
    ]
    codes = [own.codes.get(lesson.lesson_id, AbsenceCode.PRESENT) for held in attended.values() for lesson in held]
    counts: dict[AbsenceCode, int] = {code: codes.count(code) for code in AbsenceCode if code != AbsenceCode.PRESENT}
    return StudentWeek(student.student_id, student.display_name, student.name, subjects, counts)


def _build_subject(course: Membership, held: Sequence[HeldLesson], own: _Own, monday: date) -> SubjectWeek:
    histories = own.histories.get(course.course_id, {}).values()
    newest = [history[-1] for history in histories if history[-1].value is not None]
    sunday = monday + timedelta(days=6)
    return SubjectWeek(
        course_id=course.course_id,
        subject_name=course.subject_name,
        is_marked=course.is_marked,
        lesson_count=len(held),
        missed_count=sum(own.codes.get(lesson.lesson_id) in _MISSED for lesson in held),
        marks=[mark for mark in newest if monday <= mark.lesson_date <= sunday],
        mean_hundredths=find_mean((mark.value, mark.weight) for mark in newest if mark.value is not None),
        corrections=[correction for history in histories for correction in _list_corrections(history)],
        topics=[] if course.is_marked else list(dict.fromkeys(lesson.topic for lesson in held if lesson.topic)),
    )


def _list_corrections(history: Sequence[Revision]) -> list[Correction]:
    """Changes of the week that have a reason; a teacher's slip of the pen on the same day has none."""
    return [
        Correction(after.lesson_date, before.value, after.value, after.reason)
        for before, after in pairwise(history)
        if after.is_of_week and after.reason
    ]


def _covers(membership: Membership, lesson: HeldLesson) -> bool:
    return membership.from_date <= lesson.lesson_date and (
        membership.to_date is None or lesson.lesson_date <= membership.to_date
    )
