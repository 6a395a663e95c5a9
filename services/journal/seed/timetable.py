"""The week's timetable, in which no student has a gap, and the lessons it gives over the days of a period."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from uuid import UUID

_WEEKDAYS = range(1, 6)
_LAST_NUMBER = 15
# So often the school is looked over in vain for teachers who are wanted in two places; then it stays as it is.
_ROUNDS_IN_VAIN = 8

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
    """Hours a week of a course of a class. `pupils`: groups of students who always go together.

    `room`: a teacher may be busy there twice. A room is a course's own, but that of a class of several grades (класс-комплект)
    is shared by its courses. `is_first`: it begins the week.
    """

    course_id: UUID
    hours: int
    pupils: frozenset[Hashable]
    teachers: frozenset[Hashable]
    room: Hashable
    of_class: Hashable
    subject: Hashable
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class PlannedLesson:
    """A lesson that the timetable gives."""

    course_id: UUID
    lesson_date: date
    lesson_number: int


Together = tuple[Wish, ...]  # courses that parts of a class have at the same time
_Busy = dict[tuple[Hashable, Place], Counter[Hashable]]  # rooms in which a teacher is wanted


def lay_out_week(wishes: Sequence[Wish], start_date: date, end_date: date, rng: Random) -> list[Slot]:
    """Slots of all wishes: no student in two places at once and none with a gap; no teacher in two places, as far as it goes.

    The lessons of a class are dealt to the days by turns, so that days are of one length and a course comes once a day. Halves
    of a class have their subject at the same time; what only a part of it has, comes last in the day. Then lessons of a class
    change places until no teacher is wanted twice.
    """
    by_class: dict[Hashable, list[Wish]] = defaultdict(list)
    for wish in wishes:
        by_class[wish.of_class].append(wish)
    busy: _Busy = defaultdict(Counter)
    weeks = [_ClassWeek(of_class, busy) for of_class in by_class.values()]
    for week in weeks:
        week.append_parts()
    fewest, in_vain = len(wishes) * _LAST_NUMBER, 0
    while fewest and in_vain < _ROUNDS_IN_VAIN:
        left = sum([week.separate(rng) for week in weeks])
        in_vain = 0 if left < fewest else in_vain + 1
        fewest = min(fewest, left)
    return [
        Slot(wish.course_id, *place, start_date, end_date)
        for week in weeks
        for place, together in week.places.items()
        for wish in together
        if place[1] <= _LAST_NUMBER
    ]


class _ClassWeek:
    """The week of a class. `places`: what it has where; `busy` is shared by the classes."""

    def __init__(self, wishes: Sequence[Wish], busy: _Busy) -> None:
        self._busy = busy
        self.places: dict[Place, Together] = {}
        pupils = frozenset[Hashable]().union(*(wish.pupils for wish in wishes))
        whole: list[Together] = []
        self._parts: list[Together] = []
        for together in _list_hours(wishes):
            is_whole = sum(len(wish.pupils) for wish in together) == len(pupils)
            (whole if is_whole else self._parts).append(together)
        whole.sort(key=lambda together: not together[0].is_first)
        for number, together in enumerate(whole):
            self._put((_WEEKDAYS[number % len(_WEEKDAYS)], number // len(_WEEKDAYS) + 1), together)
        self._movable = [place for place, together in self.places.items() if not together[0].is_first]
        self._last = {(who, day): self._find_last(day) for who in pupils for day in _WEEKDAYS}

    def append_parts(self) -> None:
        """Puts what a part of the class has to the ends of days."""
        for together in self._parts:
            pupils = [who for wish in together for who in wish.pupils]
            places = {day: (day, max(self._last[who, day] for who in pupils) + 1) for day in _WEEKDAYS}
            day, number = min(places.values(), key=lambda place: self._weigh(together, pupils, place))
            self._last |= {(who, day): number for who in pupils}
            self._put((day, number), together)

    def separate(self, rng: Random) -> int:
        """Lets lessons change places so that fewer teachers are wanted twice; returns how many had to."""
        wanted = [place for place in self._movable if self._count_clashes(place, self.places[place])]
        for place in wanted:
            if self._count_clashes(place, self.places[place]):
                others = [other for other in self._movable if other != place and self._may_change(place, other)]
                if others:
                    self._change(place, min(others, key=lambda other: (self._weigh_change(place, other), rng.random())))
        return len(wanted)

    def _weigh(self, together: Together, pupils: Sequence[Hashable], place: Place) -> tuple[int, bool, int, int]:
        """The less, the better a place at the end of a day: not twice a day, no gap, no teacher elsewhere, early."""
        has_gap = len({self._last[who, place[0]] for who in pupils}) > 1
        return self._count_in_day(together, place[0]), has_gap, self._count_clashes(place, together), place[1]

    def _may_change(self, one: Place, other: Place) -> bool:
        """Whether both may stand in the other's day: no course more often a day than its hours make it."""
        if one[0] == other[0]:
            return True
        pairs = ((self.places[one], other[0]), (self.places[other], one[0]))
        return all(self._count_in_day(together, day) < -(-together[0].hours // len(_WEEKDAYS)) for together, day in pairs)

    def _weigh_change(self, one: Place, other: Place) -> int:
        """How many teachers are wanted twice after the change, less those before."""
        self._change(one, other)
        after = self._count_clashes(one, self.places[one]) + self._count_clashes(other, self.places[other])
        self._change(one, other)
        return after - self._count_clashes(one, self.places[one]) - self._count_clashes(other, self.places[other])

    def _change(self, one: Place, other: Place) -> None:
        first, second = self._take(one), self._take(other)
        self._put(one, second)
        self._put(other, first)

    def _put(self, place: Place, together: Together) -> None:
        # Parts of a class that have something of their own at the same time stand in one place.
        self.places[place] = (*self.places.get(place, ()), *together)
        for wish in together:
            for teacher in wish.teachers:
                self._busy[teacher, place][wish.room] += 1

    def _take(self, place: Place) -> Together:
        together = self.places.pop(place)
        for wish in together:
            for teacher in wish.teachers:
                self._busy[teacher, place][wish.room] -= 1
        return together

    def _count_clashes(self, place: Place, together: Together) -> int:
        """Teachers of these courses who are wanted in another room at that time."""
        return sum(
            any(count for room, count in self._busy[teacher, place].items() if room != wish.room)
            for wish in together
            for teacher in wish.teachers
        )

    def _count_in_day(self, together: Together, day: int) -> int:
        courses = {wish.course_id for wish in together}
        return sum(
            any(wish.course_id in courses for wish in there) for (other, _), there in self.places.items() if other == day
        )

    def _find_last(self, day: int) -> int:
        return max((number for other, number in self.places if other == day), default=0)


def _list_hours(wishes: Sequence[Wish]) -> Iterator[Together]:
    """Hour by hour what is held together: courses of one subject, of different students, by teachers who can."""
    by_subject: dict[Hashable, list[list[Wish]]] = defaultdict(list)
    for wish in wishes:
        sets = by_subject[wish.subject]
        fitting = next((one for one in sets if all(_can_be_together(wish, other) for other in one)), None)
        if fitting is None:
            sets.append([wish])
        else:
            fitting.append(wish)
    for together in (one for sets in by_subject.values() for one in sets):
        for hour in range(max(wish.hours for wish in together)):
            yield tuple(wish for wish in together if wish.hours > hour)


def _can_be_together(one: Wish, other: Wish) -> bool:
    return not one.pupils & other.pupils and (one.room == other.room or not one.teachers & other.teachers)


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
