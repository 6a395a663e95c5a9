"""The week's timetable, laid out greedily, and the lessons it gives over the days of a period."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

_WEEKDAYS = range(1, 6)
_NUMBERS = range(1, 9)

Place = tuple[int, int]  # ISO weekday and number in the day


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of a course in the week, from a day to a day inclusive."""

    course_id: UUID
    weekday: int
    lesson_number: int
    start_date: date
    end_date: date


@dataclass(frozen=True, slots=True)
class Wish:
    """Hours a week of a course. `pupils`: groups of students who always go together; `room`: a teacher may be busy there twice.

    A room is a course's own, but that of a class of several grades (класс-комплект) is shared by its courses.
    """

    course_id: UUID
    hours: int
    pupils: frozenset[Hashable]
    teachers: frozenset[Hashable]
    room: Hashable


@dataclass(frozen=True, slots=True)
class PlannedLesson:
    """A lesson that the timetable gives."""

    course_id: UUID
    lesson_date: date
    lesson_number: int


def lay_out_week(wishes: Sequence[Wish], start_date: date, end_date: date) -> list[Slot]:
    """Slots of all wishes: no student in two places at once; no teacher either, as far as a place is left.

    By turns, a lesson of each course a turn, so that late places are not left to the same few teachers; each lesson goes where
    the course has none that day yet, as early in the day as there is a place.
    """
    busy: dict[tuple[Hashable, Place], Hashable] = {}
    days: dict[UUID, list[int]] = {wish.course_id: [] for wish in wishes}
    slots = []
    for turn in range(max((wish.hours for wish in wishes), default=0)):
        for wish in wishes:
            place = _find_place(wish, days[wish.course_id], busy) if turn < wish.hours else None
            if place is not None:
                days[wish.course_id].append(place[0])
                busy |= {(who, place): wish.room for who in wish.pupils | wish.teachers}
                slots.append(Slot(wish.course_id, *place, start_date, end_date))
    return slots


def _find_place(wish: Wish, days: Sequence[int], busy: Mapping[tuple[Hashable, Place], Hashable]) -> Place | None:
    free = [
        (days.count(weekday), number, weekday)
        for weekday in _WEEKDAYS
        for number in _NUMBERS
        if not any((who, (weekday, number)) in busy for who in wish.pupils)
    ]
    with_teacher = [
        place for place in free if all(busy.get((who, (place[2], place[1])), wish.room) == wish.room for who in wish.teachers)
    ]
    if not free:
        return None
    _, number, weekday = min(with_teacher or free)
    return weekday, number


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
