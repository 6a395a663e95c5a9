"""Lessons of a course's page: what waits to be recorded, what stands at a place of the day, what may be taken back."""

from dataclasses import dataclass
from datetime import date

from apps.portal import dates
from apps.portal.teacher.views.lesson_form import LessonForm, stored_words
from diary.journal.v1 import journal_service_pb2 as pb
from diary.journal.v1 import lesson_pb2


@dataclass(frozen=True, slots=True)
class WaitingLesson:
    """A lesson of the timetable whose day has come and that nobody recorded."""

    lesson_id: str
    lesson_date: str
    label: str
    number: int
    is_today: bool


def list_waiting(page: pb.GetJournalPageResponse, today: date) -> tuple[WaitingLesson, ...]:
    """Today's first, then from the latest back."""
    waiting = [
        WaitingLesson(
            lesson.lesson_id,
            lesson.lesson_date,
            dates.day_month(date.fromisoformat(lesson.lesson_date)),
            lesson.lesson_number,
            lesson.lesson_date == today.isoformat(),
        )
        for lesson in page.lessons
        if lesson.state == lesson_pb2.LESSON_STATE_PLANNED and lesson.lesson_date <= today.isoformat()
    ]
    # Within a day in the order of the day.
    waiting.sort(key=lambda lesson: lesson.number)
    return tuple(sorted(waiting, key=lambda lesson: lesson.lesson_date, reverse=True))


def find_place(page: pb.GetJournalPageResponse, lesson_date: str, number: int) -> lesson_pb2.Lesson | None:
    """The lesson of a day and number, planned or held."""
    place = lesson_date, number
    return next((lesson for lesson in page.lessons if (lesson.lesson_date, lesson.lesson_number) == place), None)


def has_timetable(page: pb.GetJournalPageResponse) -> bool:
    """Whether the course is planned in this period at all: without a timetable no lesson is out of it."""
    return any(lesson.state == lesson_pb2.LESSON_STATE_PLANNED for lesson in page.lessons)


def is_sent_again(lesson: lesson_pb2.Lesson, form: LessonForm) -> bool:
    """Whether a held lesson says what the form says: then the form was sent twice, and the class still goes with it."""
    return stored_words(lesson) == dict(form.words)


def is_empty(page: pb.GetJournalPageResponse, lesson: lesson_pb2.Lesson) -> bool:
    """Whether a recorded lesson has neither marks nor absences, so that it can be taken back."""
    traced = {mark.lesson_id for mark in page.marks} | {absence.lesson_id for absence in page.absences}
    return lesson.state == lesson_pb2.LESSON_STATE_HELD and lesson.lesson_id not in traced
