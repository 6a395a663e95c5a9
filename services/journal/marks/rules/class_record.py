"""Recording a class's lesson in one piece: the record, the marks, the attendance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from services.journal.lessons.rules.attendance import Absence, LessonAttendance, list_changes, record_attendance
from services.journal.lessons.rules.lessons import Lesson, LessonPlace, LessonRecord, LessonState, record_lesson
from services.journal.marks.rules.marks import Cell, MarkedCourse, MarkedLesson, MarkValue, Outcome, Revision, record_marks


@dataclass(frozen=True, slots=True)
class ClassCell:
    """One mark of one student in the lesson that is recorded; otherwise a Cell."""

    mark_id: UUID
    student_id: UUID
    value: MarkValue | None
    expected_revision: int


@dataclass(frozen=True, slots=True)
class ClassRecord:
    """What a teacher records of a lesson and of the class in it. `attendance_etag` is empty for a first record."""

    lesson: LessonRecord
    cells: Sequence[ClassCell]
    absences: Sequence[Absence]
    attendance_etag: str


@dataclass(frozen=True, slots=True)
class ClassPlace:
    """What stands at a record's day and number, and of the course's students and marks that the record names."""

    lesson: LessonPlace
    course: MarkedCourse
    attendance: LessonAttendance


@dataclass(frozen=True, slots=True)
class RecordedClass:
    """The lesson as it will stand, and what is to be written: `changes` of the attendance, None where it stands already."""

    lesson: Lesson
    is_lesson_changed: bool
    outcomes: Sequence[Outcome]
    revisions: Sequence[Revision]
    changes: Sequence[Absence] | None

    @property
    def is_changed(self) -> bool:
        """Whether anything is to be written."""
        return self.is_lesson_changed or bool(self.revisions) or self.changes is not None


def record_class(place: ClassPlace, record: ClassRecord, account_id: UUID, today: date) -> RecordedClass:
    """The class's lesson as it will stand; a part that says what stands already changes nothing, whatever its etag.

    Raises what record_lesson, record_marks and record_attendance raise: then nothing of it is written.
    """
    standing, wanted = place.lesson.lesson, record.lesson
    if standing and _says_the_same(standing, wanted):
        lesson, is_lesson_changed = standing, False
    else:
        lesson, is_lesson_changed = record_lesson(place.lesson, wanted, place.course.course_id, today), True
    held = MarkedLesson(wanted.lesson_date, is_held=True, is_closed=place.attendance.is_closed)
    cells = [Cell(one.mark_id, lesson.lesson_id, one.student_id, one.value, one.expected_revision) for one in record.cells]
    course = replace(place.course, lessons={lesson.lesson_id: held})
    outcomes, revisions = record_marks(course, cells, account_id, today)
    changes: Sequence[Absence] | None = list_changes(place.attendance, record.absences)
    if changes or not lesson.attendance_revision:
        attendance = replace(place.attendance, lesson=lesson)
        lesson, changes = record_attendance(attendance, record.absences, record.attendance_etag)
    else:
        changes = None
    return RecordedClass(lesson, is_lesson_changed, outcomes, revisions, changes)


def _says_the_same(lesson: Lesson, record: LessonRecord) -> bool:
    words = record.topic, record.homework, record.work_type_id
    return lesson.state == LessonState.HELD and (lesson.topic, lesson.homework, lesson.work_type_id) == words
