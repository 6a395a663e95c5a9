"""Recording marks of a class at once, and correcting one."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.errors import Aborted, FailedPrecondition, InvalidArgument
from services.journal.roster.rules import Member

MARK_MAX = 5


class MarkKind(IntEnum):
    """What a mark's number says. Numbers of the table and of the history: they stay."""

    FIVE_POINT = 1  # 5, 4, 3, 2, 1
    PASS = 2  # зачёт 1, незачёт 0
    NOT_ASSESSED = 3  # н/а
    EXEMPT = 4  # осв
    RETAKEN = 5  # 2/4 is 24: the mark, and that of the retake
    TEN_POINT = 6
    HUNDRED_POINT = 7


# The numbers of each kind; what a kind alone says has 0. The table's CHECK says the same.
NUMBERS: Mapping[MarkKind, Container[int]] = {
    MarkKind.FIVE_POINT: range(1, MARK_MAX + 1),
    MarkKind.PASS: range(2),
    MarkKind.NOT_ASSESSED: range(1),
    MarkKind.EXEMPT: range(1),
    MarkKind.RETAKEN: frozenset(10 * first + second for first in range(1, 6) for second in range(1, 6)),
    MarkKind.TEN_POINT: range(11),
    MarkKind.HUNDRED_POINT: range(101),
}


@dataclass(frozen=True, slots=True)
class MarkValue:
    """What a mark says: a number of a MarkKind. Where there may be none, None is a mark taken back."""

    kind: int
    number: int


def five_point(number: int | None) -> MarkValue | None:
    """A mark as five-point scales have it, the one kind that today's calls write."""
    return None if number is None else MarkValue(MarkKind.FIVE_POINT, number)


def show_number(value: MarkValue | None) -> int | None:
    """The number where five-point marks alone are told; None of another kind, which 1 or 4 would misstate."""
    return value.number if value is not None and value.kind == MarkKind.FIVE_POINT else None


class CellState(IntEnum):
    """Numbers of the proto."""

    SAVED = 1
    CONFLICT = 2
    REFUSED = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """One mark of one student in one lesson. `value` None takes it back; `expected_revision` 0 for a new mark."""

    mark_id: UUID
    lesson_id: UUID
    student_id: UUID
    value: MarkValue | None
    expected_revision: int


@dataclass(frozen=True, slots=True)
class CurrentMark:
    """A mark's newest revision and who wrote it; `first_time`: when its first was written."""

    mark_id: UUID
    lesson_id: UUID
    student_id: UUID
    value: MarkValue | None
    revision: int
    account_id: UUID
    first_time: datetime


@dataclass(frozen=True, slots=True)
class MarkedLesson:
    """What marks need to know of a lesson."""

    lesson_date: date
    is_held: bool
    is_closed: bool


@dataclass(frozen=True, slots=True)
class MarkedCourse:
    """A course with its members, and what stands of the lessons and marks that a call names."""

    course_id: UUID
    is_marked: bool
    mark_min: int
    time_zone: str
    batch_count: int
    lessons: Mapping[UUID, MarkedLesson]
    members: Sequence[Member]
    marks: Mapping[UUID, CurrentMark]


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision to be written. `reason` is a correction's."""

    mark_id: UUID
    revision: int
    lesson_id: UUID
    student_id: UUID
    lesson_date: date
    value: MarkValue | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a cell, and what now stands; `is_own`: by the same account, where it is in conflict."""

    mark_id: UUID
    state: CellState
    revision: int
    value: MarkValue | None
    reason: str = ""
    is_own: bool = False


def record_marks(
    course: MarkedCourse, cells: Sequence[Cell], account_id: UUID, today: date
) -> tuple[list[Outcome], list[Revision]]:
    """One outcome a cell, in order, and the revisions to write. Raises CELL_REPEATED."""
    if len({cell.mark_id for cell in cells}) < len(cells):
        raise InvalidArgument("CELL_REPEATED", "the same mark_id stands twice in the request")
    times: dict[UUID, list[Member]] = {}
    for member in course.members:
        times.setdefault(member.student_id, []).append(member)
    zone = ZoneInfo(course.time_zone)
    outcomes: list[Outcome] = []
    revisions: list[Revision] = []
    for cell in cells:
        current = course.marks.get(cell.mark_id)
        refusal = _find_refusal(course, cell, current, times.get(cell.student_id, ()))
        if refusal:
            outcomes.append(Outcome(cell.mark_id, CellState.REFUSED, 0, None, refusal))
        elif current is None:
            outcomes.append(_write_new(course, cell, revisions))
        else:
            is_earlier = current.first_time.astimezone(zone).date() < today
            outcomes.append(_change(course, cell, current, account_id, is_earlier, revisions))
    return outcomes, revisions


def _find_refusal(course: MarkedCourse, cell: Cell, current: CurrentMark | None, times: Sequence[Member]) -> str:
    """The reason for which a cell cannot be written by anyone; empty when there is none."""
    lesson = course.lessons.get(cell.lesson_id)
    if lesson is None:
        return "LESSON_NOT_FOUND"
    if not any(_covers(time, lesson.lesson_date) for time in times):
        return "STUDENT_NOT_IN_COURSE"
    if current and (current.lesson_id, current.student_id) != (cell.lesson_id, cell.student_id):
        return "MARK_ELSEWHERE"
    return _find_rule_broken(course, lesson, cell.value)


def _find_rule_broken(course: MarkedCourse, lesson: MarkedLesson, value: MarkValue | None) -> str:
    if not course.is_marked:
        return "COURSE_NOT_MARKED"
    if value is not None and not _is_in_scale(value, course.mark_min):
        return "MARK_NOT_IN_SCALE"
    if not lesson.is_held:
        return "LESSON_NOT_HELD"
    return "PERIOD_CLOSED" if lesson.is_closed else ""


def _is_in_scale(value: MarkValue, mark_min: int) -> bool:
    return value.kind == MarkKind.FIVE_POINT and value.number >= mark_min and value.number in NUMBERS[MarkKind.FIVE_POINT]


def _covers(member: Member, day: date) -> bool:
    return member.from_date <= day and (member.to_date is None or day <= member.to_date)


def _write_new(course: MarkedCourse, cell: Cell, revisions: list[Revision]) -> Outcome:
    if cell.expected_revision:
        return Outcome(cell.mark_id, CellState.CONFLICT, 0, None)
    if cell.value is None:
        return Outcome(cell.mark_id, CellState.SAVED, 0, None)
    revisions.append(_build_revision(course, cell, 1))
    return Outcome(cell.mark_id, CellState.SAVED, 1, cell.value)


def _change(
    course: MarkedCourse, cell: Cell, current: CurrentMark, account_id: UUID, is_earlier: bool, revisions: list[Revision]
) -> Outcome:
    is_same = cell.value == current.value
    is_repeat = is_same and current.revision == cell.expected_revision + 1 and current.account_id == account_id
    if is_repeat or (is_same and current.revision == cell.expected_revision):
        return Outcome(cell.mark_id, CellState.SAVED, current.revision, current.value)
    if current.revision != cell.expected_revision:
        is_own = current.account_id == account_id
        return Outcome(cell.mark_id, CellState.CONFLICT, current.revision, current.value, is_own=is_own)
    if is_earlier:
        return Outcome(cell.mark_id, CellState.REFUSED, current.revision, current.value, "REASON_REQUIRED")
    revisions.append(_build_revision(course, cell, current.revision + 1))
    return Outcome(cell.mark_id, CellState.SAVED, current.revision + 1, cell.value)


def _build_revision(course: MarkedCourse, cell: Cell, number: int) -> Revision:
    lesson_date = course.lessons[cell.lesson_id].lesson_date
    return Revision(cell.mark_id, number, cell.lesson_id, cell.student_id, lesson_date, cell.value)


def correct_mark(
    course: MarkedCourse, mark: CurrentMark, value: MarkValue | None, expected_revision: int, reason: str
) -> Revision:
    """The revision that corrects a mark. Raises MARK_NOT_IN_SCALE, PERIOD_CLOSED, MARK_CHANGED."""
    lesson = course.lessons[mark.lesson_id]
    broken = _find_rule_broken(course, lesson, value)
    if broken == "MARK_NOT_IN_SCALE":
        raise InvalidArgument(broken, f"the school's marks are {course.mark_min} to {MARK_MAX}")
    if broken:
        raise FailedPrecondition(broken, "the mark cannot be corrected now")
    if mark.revision != expected_revision:
        number = show_number(mark.value)
        current = {"revision": str(mark.revision), "value": "" if number is None else str(number)}
        raise Aborted("MARK_CHANGED", "another hand changed the mark since expected_revision", current)
    return Revision(mark.mark_id, mark.revision + 1, mark.lesson_id, mark.student_id, lesson.lesson_date, value, reason)
