"""Times of people in classes and study groups, by ids of a bundle."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True, slots=True)
class Period:
    """A person's time in a class or study group; `end_day` is the day after the last."""

    of_id: str
    person_id: str
    first_day: date
    end_day: date


def clip_periods(periods: Iterable[Period], enrolled: dict[str, Sequence[tuple[date, date | None]]]) -> list[Period]:
    """The times within the enrolments of their people: nobody is placed before coming or after leaving (Clauses R10, R13)."""
    clipped = []
    for period in periods:
        for first, end in enrolled.get(period.person_id, ()):
            first_day, end_day = max(period.first_day, first), min(period.end_day, end or period.end_day)
            if first_day < end_day:
                clipped.append(replace(period, first_day=first_day, end_day=end_day))
    return clipped


def merge_periods(periods: Iterable[Period]) -> list[Period]:
    """The same times with those of one person in one class that touch or overlap made one."""
    merged: dict[tuple[str, str], list[Period]] = defaultdict(list)
    for period in sorted(periods, key=lambda period: period.first_day):
        kept = merged[period.of_id, period.person_id]
        if kept and period.first_day <= kept[-1].end_day:
            kept[-1] = replace(kept[-1], end_day=max(kept[-1].end_day, period.end_day))
        else:
            kept.append(period)
    return [period for kept in merged.values() for period in kept]
