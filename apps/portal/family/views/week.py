"""A student's week as the page shows it: days with their lessons, and what the week came to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from apps.portal import dates
from apps.portal.codes import ABSENCES, AbsenceView
from apps.portal.words import count
from chassis import words
from diary.journal.v1 import lesson_pb2
from diary.journal.v1.diary_service_pb2 import GetDiaryWeekResponse
from diary.journal.v1.diary_week_pb2 import DiaryLesson

# Rows of the page are named tuples: a week makes about sixty, and they cost a fifth of what dataclasses do.

# Saturday and Sunday are shown only when something is taught on them.
_SCHOOL_DAYS = 5
_LEAF_DAYS = 3


class MarkView(NamedTuple):
    """A mark, and whether it was changed since it was first recorded."""

    value: int
    is_changed: bool


class LessonView(NamedTuple):
    """A lesson of a day."""

    number: int
    subject: str
    topic: str
    homework: str
    work_type: str
    marks: tuple[MarkView, ...]
    absence: AbsenceView | None


class DayView(NamedTuple):
    """A day of the week."""

    weekday: str
    label: str
    iso_date: str
    is_today: bool
    lessons: tuple[LessonView, ...]


@dataclass(frozen=True, slots=True)
class WeekView:
    """A week. `current` is empty when this week is shown. `leaves` are the two sides of a paper diary; none without lessons."""

    iso_week: str
    label: str
    previous: str
    next: str
    current: str
    leaves: tuple[tuple[DayView, ...], ...]
    summary: str
    absences: tuple[AbsenceView, ...]
    is_any_changed: bool


def build_week(answer: GetDiaryWeekResponse, today: date) -> WeekView:
    """The week of an answer; `today` is the school's."""
    monday = date.fromisoformat(answer.monday_date)
    by_day: dict[str, list[LessonView]] = {}
    for lesson in answer.lessons:
        by_day.setdefault(lesson.card.lesson_date, []).append(_build_lesson(lesson))
    days = [monday + timedelta(days=number) for number in range(7)]
    shown = [day for day in days if day.weekday() < _SCHOOL_DAYS or day.isoformat() in by_day]
    built = tuple(_build_day(day, today, by_day.get(day.isoformat(), [])) for day in shown)
    this_week = dates.week_of(today)
    return WeekView(
        iso_week=answer.week,
        label=dates.week_label(monday),
        previous=dates.week_of(monday - timedelta(days=7)),
        next=dates.week_of(monday + timedelta(days=7)),
        current="" if answer.week == this_week else this_week,
        leaves=(built[:_LEAF_DAYS], built[_LEAF_DAYS:]) if by_day else (),
        summary=_summarise(answer.lessons),
        absences=tuple(ABSENCES[code] for code in sorted({lesson.absence for lesson in answer.lessons} & ABSENCES.keys())),
        is_any_changed=any(mark.revision > 1 for lesson in answer.lessons for mark in lesson.marks),
    )


def _build_day(day: date, today: date, lessons: list[LessonView]) -> DayView:
    return DayView(
        weekday=words.weekday(day).capitalize(),
        label=dates.day_month(day),
        iso_date=day.isoformat(),
        is_today=day == today,
        lessons=tuple(lessons),
    )


def _build_lesson(lesson: DiaryLesson) -> LessonView:
    card = lesson.card
    return LessonView(
        number=card.lesson_number,
        subject=card.subject_name,
        topic=card.topic,
        homework=card.homework,
        work_type=card.work_type_name,
        marks=tuple(MarkView(mark.value, mark.revision > 1) for mark in lesson.marks),
        absence=ABSENCES.get(lesson.absence),
    )


def _summarise(lessons: Iterable[DiaryLesson]) -> str:
    marks = missed = late = 0
    for lesson in lessons:
        marks += len(lesson.marks)
        late += lesson.absence == lesson_pb2.ABSENCE_CODE_LATE
        missed += lesson.absence not in (lesson_pb2.ABSENCE_CODE_UNSPECIFIED, lesson_pb2.ABSENCE_CODE_LATE)
    parts = [
        count(marks, ("отметка", "отметки", "отметок")) if marks else "отметок нет",
        f"пропущено уроков: {missed}" if missed else "пропусков нет",
    ]
    if late:
        parts.append(count(late, ("опоздание", "опоздания", "опозданий")))
    return " · ".join(parts)
