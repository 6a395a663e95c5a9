"""Periods of a school year, and the work types a school begins with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid5

# Month and day of a quarter's first and last day, as most schools of Russia have them.
_QUARTERS = (((9, 1), (10, 25)), ((11, 5), (12, 28)), ((1, 11), (3, 22)), ((4, 1), (5, 26)))
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


@dataclass(frozen=True, slots=True)
class Period:
    """A quarter, trimester or half-year; both days are of it."""

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


def plan_quarters(school_id: UUID, year_start: date, year_end: date) -> tuple[Period, ...]:
    """The four quarters of a year, cut to it. Ids follow from school and first year, so that planning twice gives the same."""
    quarters = []
    for number, (first, last) in enumerate(_QUARTERS, 1):
        year = year_start.year if first[0] >= 9 else year_start.year + 1
        start, end = max(date(year, *first), year_start), min(date(year, *last), year_end)
        if start <= end:
            period_id = uuid5(school_id, f"quarter {year_start.year} {number}")
            quarters.append(Period(period_id, f"{number} четверть", start, end))
    return tuple(quarters)


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
