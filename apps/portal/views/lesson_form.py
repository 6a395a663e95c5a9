"""The form of a lesson's record, and what was typed into it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from diary.journal.v1 import journal_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class LessonForm:
    """Fields as they stand in the form; `lesson_id` is empty for a lesson that the timetable does not know."""

    lesson_id: str
    lesson_date: str
    lesson_number: str
    topic: str
    homework: str
    work_type_id: str
    etag: str
    request_id: str

    def to_request(self, school_id: str, course_id: str) -> pb.RecordLessonRequest:
        """The request. A number that is none goes as 0, which the service refuses as it does others out of range."""
        number = int(self.lesson_number) if self.lesson_number.isdecimal() and len(self.lesson_number) < 4 else 0
        return pb.RecordLessonRequest(
            school_id=school_id,
            course_id=course_id,
            request_id=self.request_id,
            lesson_date=self.lesson_date,
            lesson_number=number,
            topic=self.topic,
            homework=self.homework,
            work_type_id=self.work_type_id,
            etag=self.etag,
        )

    def again(self, request_id: str, etag: str) -> "LessonForm":
        """The same words to be sent as another request, over the lesson as it now stands."""
        return replace(self, request_id=request_id, etag=etag)


def empty_lesson_form(lesson_date: str, request_id: str) -> LessonForm:
    """For a new lesson on that day."""
    return LessonForm("", lesson_date, "", "", "", "", "", request_id)


def build_lesson_form(lesson: pb.Lesson, request_id: str) -> LessonForm:
    """The lesson as it stands. A planned lesson has no record yet, so none is being changed."""
    return LessonForm(
        lesson_id=lesson.lesson_id,
        lesson_date=lesson.lesson_date,
        lesson_number=str(lesson.lesson_number),
        topic=lesson.topic,
        homework=lesson.homework,
        work_type_id=lesson.work_type_id,
        etag=lesson.etag if lesson.state == pb.LESSON_STATE_HELD else "",
        request_id=request_id,
    )


def read_lesson_form(form: Mapping[str, str]) -> LessonForm:
    """Reads the posted fields."""
    names = ("lesson_id", "lesson_date", "lesson_number", "topic", "homework", "work_type_id", "etag", "request_id")
    return LessonForm(*(form.get(name, "").strip() for name in names))
