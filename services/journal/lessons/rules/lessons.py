"""Recording a lesson."""

from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum
from uuid import UUID

from chassis.errors import Aborted, FailedPrecondition, InvalidArgument, NotFound


class LessonState(IntEnum):
    """Numbers of the proto and of the table."""

    PLANNED = 1
    HELD = 2


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson of a course. `revision` rises with its record, `attendance_revision` with its attendance, 0 before the first."""

    lesson_id: UUID
    course_id: UUID
    lesson_date: date
    lesson_number: int
    state: LessonState
    topic: str
    homework: str
    work_type_id: UUID | None
    revision: int
    attendance_revision: int

    @property
    def etag(self) -> str:
        """Changes with the record."""
        return f"L{self.revision}"

    @property
    def attendance_etag(self) -> str:
        """Changes with the attendance; empty while there is none."""
        return f"A{self.attendance_revision}" if self.attendance_revision else ""


@dataclass(frozen=True, slots=True)
class LessonRecord:
    """What a teacher records of a lesson. `etag`: of the lesson to change, empty for a first record."""

    lesson_date: date
    lesson_number: int
    topic: str
    homework: str
    work_type_id: UUID | None
    etag: str


@dataclass(frozen=True, slots=True)
class LessonPlace:
    """What stands at a record's day and number. `is_closed` None when the day lies in no period; `new_id` for a new lesson;
    `class_id` None when the course gathers several classes.
    """

    new_id: UUID
    time_zone: str
    is_closed: bool | None
    has_work_type: bool
    lesson: Lesson | None
    class_id: UUID | None


def record_lesson(place: LessonPlace, record: LessonRecord, course_id: UUID, today: date) -> Lesson:
    """The lesson as it will stand. Raises LESSON_IN_FUTURE, DATE_OUTSIDE_PERIODS, PERIOD_CLOSED, LESSON_CHANGED …"""
    if record.lesson_date > today:
        raise InvalidArgument("LESSON_IN_FUTURE", "the day of the lesson has not come in the school's zone")
    if place.is_closed is None:
        raise FailedPrecondition("DATE_OUTSIDE_PERIODS", "the day lies in no period of the school year")
    if place.is_closed:
        raise FailedPrecondition("PERIOD_CLOSED", "the period of the lesson is closed")
    if not place.has_work_type:
        raise NotFound("WORK_TYPE_NOT_FOUND", "no such work type in the school")
    before = place.lesson
    if not _may_follow(before, record.etag):
        raise Aborted("LESSON_CHANGED", "another hand recorded the lesson since its etag; read it again")
    return Lesson(
        lesson_id=before.lesson_id if before else place.new_id,
        course_id=course_id,
        lesson_date=record.lesson_date,
        lesson_number=record.lesson_number,
        state=LessonState.HELD,
        topic=record.topic,
        homework=record.homework,
        work_type_id=record.work_type_id,
        revision=before.revision + 1 if before else 1,
        attendance_revision=before.attendance_revision if before else 0,
    )


@dataclass(frozen=True, slots=True)
class RecordedLesson:
    """What stands of a lesson that is to be withdrawn; `lesson` None when the course has no such one.

    `batch_count`: links of the course's chain, so that no mark can come between.
    """

    lesson: Lesson | None
    class_id: UUID | None
    is_closed: bool
    is_in_timetable: bool
    has_marks: bool
    has_absences: bool
    batch_count: int


def retract_lesson(recorded: RecordedLesson, etag: str) -> Lesson:
    """The lesson as it will stand: as if never recorded. Raises LESSON_NOT_FOUND, LESSON_NOT_HELD, PERIOD_CLOSED …"""
    lesson = recorded.lesson
    if lesson is None:
        raise NotFound("LESSON_NOT_FOUND", "no such lesson in the course")
    if lesson.state != LessonState.HELD:
        raise FailedPrecondition("LESSON_NOT_HELD", "only a recorded lesson can be withdrawn")
    if recorded.is_closed:
        raise FailedPrecondition("PERIOD_CLOSED", "the period of the lesson is closed")
    if recorded.has_marks or recorded.has_absences:
        raise FailedPrecondition("LESSON_NOT_EMPTY", "the lesson has marks or absences; take them back first")
    if etag != lesson.etag:
        raise Aborted("LESSON_CHANGED", "another hand recorded the lesson since its etag; read it again")
    return replace(
        lesson,
        state=LessonState.PLANNED,
        topic="",
        homework="",
        work_type_id=None,
        revision=lesson.revision + 1,
        attendance_revision=0,
    )


def _may_follow(before: Lesson | None, etag: str) -> bool:
    """A held lesson is changed by its own etag only; a planned one becomes held with or without."""
    if before is None:
        return etag == ""
    return etag == before.etag or (etag == "" and before.state == LessonState.PLANNED)
