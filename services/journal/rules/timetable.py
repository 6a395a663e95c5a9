"""The week's timetable, laid out greedily, and the lessons it gives over the days of a period."""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

_WEEKDAYS = range(1, 6)
_NUMBERS = range(1, 9)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of a course in the week: ISO weekday and number in the day, from a day to a day inclusive."""

    course_id: UUID
    weekday: int
    lesson_number: int
    start_date: date
    end_date: date


@dataclass(frozen=True, slots=True)
class Wish:
    """Courses taught at the same time (groups of a class), hours a week, and who can be in one place only."""

    course_ids: tuple[UUID, ...]
    hours: int
    class_ids: frozenset[UUID]
    teachers: frozenset[str]


@dataclass(frozen=True, slots=True)
class PlannedLesson:
    """A lesson that the timetable gives."""

    course_id: UUID
    lesson_date: date
    lesson_number: int


def lay_out_week(wishes: Sequence[Wish], start_date: date, end_date: date) -> list[Slot]:
    """Slots of all wishes: no class twice at a time; no teacher either, as far as a place is left.

    Most hours first; each lesson goes to the day with the fewest of the class that has none of the course yet.
    """
    busy: set[tuple[object, int, int]] = set()
    slots = []
    for wish in sorted(wishes, key=lambda wish: -wish.hours):
        days: list[int] = []
        for _ in range(wish.hours):
            place = _find_place(wish, days, busy)
            if place is None:
                break
            days.append(place[0])
            busy |= {(who, *place) for who in (*wish.class_ids, *wish.teachers)}
            slots += [Slot(course_id, *place, start_date, end_date) for course_id in wish.course_ids]
    return slots


def _find_place(wish: Wish, days: Sequence[int], busy: Set[tuple[object, int, int]]) -> tuple[int, int] | None:
    for people in ((*wish.class_ids, *wish.teachers), tuple(wish.class_ids)):
        free = [
            (days.count(weekday), number, weekday)
            for weekday in _WEEKDAYS
            for number in _NUMBERS
            if not any((who, weekday, number) in busy for who in people)
        ]
        if free:
            _, number, weekday = min(free)
            return weekday, number
    return None


def lay_out_lessons(slots: Iterable[Slot], start: date, end: date, days_off: Set[date]) -> Iterator[PlannedLesson]:
    """The lessons of the days from `start` to `end` inclusive, by day and number, none on days off."""
    by_weekday: dict[int, list[Slot]] = {}
    for slot in sorted(slots, key=lambda slot: (slot.lesson_number, slot.course_id)):
        by_weekday.setdefault(slot.weekday, []).append(slot)
    for offset in range((end - start).days + 1):
        day = start + timedelta(days=offset)
        if day in days_off:
            continue
        for slot in by_weekday.get(day.isoweekday(), ()):
            if slot.start_date <= day <= slot.end_date:
                yield PlannedLesson(slot.course_id, day, slot.lesson_number)
