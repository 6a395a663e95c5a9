"""Messages of lessons and their attendance, and values of the rules."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from chassis.errors import InvalidArgument
from diary.journal.v1 import events_pb2, journal_service_pb2, lesson_pb2
from services.journal.lessons.rules.attendance import Absence, AbsenceCode
from services.journal.lessons.rules.lessons import Lesson, LessonRecord


def read_record(request: journal_service_pb2.RecordLessonRequest | journal_service_pb2.RecordClassRequest) -> LessonRecord:
    """What is recorded of a lesson. Raises InvalidArgument DATE_INVALID."""
    try:
        lesson_date = date.fromisoformat(request.lesson_date)
    except ValueError as error:
        raise InvalidArgument("DATE_INVALID", "lesson_date is a day that does not exist") from error
    return LessonRecord(
        lesson_date=lesson_date,
        lesson_number=request.lesson_number,
        topic=request.topic,
        homework=request.homework,
        work_type_id=UUID(request.work_type_id) if request.work_type_id else None,
        etag=request.etag,
    )


def write_lesson(lesson: Lesson) -> lesson_pb2.Lesson:
    """A lesson."""
    return lesson_pb2.Lesson(
        lesson_id=str(lesson.lesson_id),
        course_id=str(lesson.course_id),
        lesson_date=lesson.lesson_date.isoformat(),
        lesson_number=lesson.lesson_number,
        state=lesson.state.value,  # type: ignore[arg-type]  # a number of the enum
        topic=lesson.topic,
        homework=lesson.homework,
        work_type_id=str(lesson.work_type_id or ""),
        etag=lesson.etag,
        attendance_etag=lesson.attendance_etag,
    )


def write_lesson_recorded(school_id: UUID, class_id: UUID | None, lesson: Lesson) -> events_pb2.LessonRecorded:
    """The event of a recorded lesson."""
    return events_pb2.LessonRecorded(
        school_id=str(school_id),
        course_id=str(lesson.course_id),
        lesson_id=str(lesson.lesson_id),
        class_id=str(class_id or ""),
        lesson_date=lesson.lesson_date.isoformat(),
    )


def write_lesson_retracted(school_id: UUID, class_id: UUID | None, lesson: Lesson) -> events_pb2.LessonRetracted:
    """The event of a withdrawn lesson; its reason is in no event."""
    return events_pb2.LessonRetracted(
        school_id=str(school_id),
        course_id=str(lesson.course_id),
        lesson_id=str(lesson.lesson_id),
        class_id=str(class_id or ""),
        lesson_date=lesson.lesson_date.isoformat(),
    )


def read_absences(messages: Iterable[lesson_pb2.AbsenceCell]) -> list[Absence]:
    """The absences of RecordAttendance."""
    return [Absence(UUID(message.student_id), AbsenceCode(message.code)) for message in messages]


def write_attendance_recorded(school_id: UUID, lesson: Lesson, absences: Iterable[Absence]) -> events_pb2.AttendanceRecorded:
    """The event of recorded attendance: who was absent, without codes."""
    return events_pb2.AttendanceRecorded(
        school_id=str(school_id),
        course_id=str(lesson.course_id),
        lesson_id=str(lesson.lesson_id),
        student_ids=[str(absence.student_id) for absence in absences],
    )
