"""Periods of a school year, who goes by which, and the work types a school begins with."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from uuid import UUID, uuid5

_Days = tuple[tuple[int, int], tuple[int, int]]
# Month and day of a quarter's first and last day, as most schools of Russia have them; a half-year is two quarters with the
# vacation between.
_QUARTERS: tuple[_Days, ...] = (((9, 1), (10, 25)), ((11, 5), (12, 28)), ((1, 11), (3, 22)), ((4, 1), (5, 26)))
_HALF_YEARS: tuple[_Days, ...] = (((9, 1), (12, 28)), ((1, 11), (5, 26)))
# Grades 1-9 have their marks by quarters, 10 and 11 by half-years, where a school says nothing else.
_FIRST_GRADE_OF_HALF_YEARS = 10
# Weights in hundredths: 100 is one.
_WORK_TYPES = (
    ("контрольная работа", 200),
    ("самостоятельная работа", 150),
    ("проверочная работа", 150),
    ("диктант", 150),
    ("изложение", 150),
    ("сочинение", 150),
    ("устный ответ", 100),
    ("практическая работа", 100),
    ("лабораторная работа", 100),
    ("проект", 150),
    ("домашняя работа", 50),
)


class PeriodKind(IntEnum):
    """What a year is divided into for marks: per class, never one for a whole school. Numbers of the tables."""

    QUARTER = 1
    TRIMESTER = 2
    HALF_YEAR = 3
    MODULE = 4
    YEAR = 5


# From the shortest on.
_BY_LENGTH = (PeriodKind.MODULE, PeriodKind.QUARTER, PeriodKind.TRIMESTER, PeriodKind.HALF_YEAR, PeriodKind.YEAR)
_PLANNED: dict[PeriodKind, tuple[str, tuple[_Days, ...], str]] = {
    PeriodKind.QUARTER: ("quarter", _QUARTERS, "четверть"),
    PeriodKind.HALF_YEAR: ("half-year", _HALF_YEARS, "полугодие"),
}


PLANNED_KINDS = frozenset(_PLANNED)


@dataclass(frozen=True, slots=True)
class Period:
    """A period of some kind; both days are of it."""

    period_id: UUID
    name: str
    start_date: date
    end_date: date
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class WorkType:
    """A type of work for which marks are given; `weight` in hundredths."""

    work_type_id: UUID
    name: str
    weight: int


def choose_period_kind(grades: Collection[int]) -> PeriodKind:
    """What a class of these grades goes by: half-years in 10 and 11, else quarters; a combined class by its lowest grade."""
    return PeriodKind.HALF_YEAR if min(grades, default=0) >= _FIRST_GRADE_OF_HALF_YEARS else PeriodKind.QUARTER


def choose_common_kind(kinds: Collection[PeriodKind]) -> PeriodKind:
    """What a course goes by whose students' classes go by these: the shortest.

    So nobody waits longer for a mark than the own class does, and of two quarters' marks a half-year's can be made, which
    cannot be taken apart.
    """
    return min(kinds, key=_BY_LENGTH.index, default=PeriodKind.QUARTER)


def plan_periods(school_id: UUID, kind: PeriodKind, year_start: date, year_end: date) -> tuple[Period, ...]:
    """The quarters or half-years of a year, cut to it. Ids follow from school and first year, so that planning twice gives
    the same.
    """
    key, days, name = _PLANNED[kind]
    periods = []
    for number, (first, last) in enumerate(days, 1):
        start_year, end_year = (year_start.year + (month < 9) for month in (first[0], last[0]))
        start, end = max(date(start_year, *first), year_start), min(date(end_year, *last), year_end)
        if start <= end:
            period_id = uuid5(school_id, f"{key} {year_start.year} {number}")
            periods.append(Period(period_id, f"{number} {name}", start, end))
    return tuple(periods)


def plan_work_types(school_id: UUID) -> tuple[WorkType, ...]:
    """The work types a school begins with; ids follow from the school."""
    return tuple(WorkType(uuid5(school_id, f"work type {name}"), name, weight) for name, weight in _WORK_TYPES)


def find_period(periods: Sequence[Period], day: date) -> Period | None:
    """The period a day lies in."""
    return next((period for period in periods if period.start_date <= day <= period.end_date), None)


def find_current_period(periods: Sequence[Period], today: date) -> Period | None:
    """The period of today, else the last one begun, else the first."""
    begun = [period for period in periods if period.start_date <= today]
    return max(begun, key=lambda period: period.start_date, default=periods[0] if periods else None)
