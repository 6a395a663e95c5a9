"""The families informed on paper (Clauses R7, R8), as access tells them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.placements import StudentPlace

# In place of a guardian: nobody in particular, as on sheets that no declaration asked for.
NOBODY = UUID(int=0)


class Addressee(NamedTuple):
    """Whom a sheet is for: a student's week, told to a guardian. A week has one state for each."""

    student_id: UUID
    guardian_id: UUID


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration that wants printouts: since when and until when; `revoked` None while it holds."""

    addressee: Addressee
    recorded: datetime
    revoked: datetime | None


@dataclass(frozen=True, slots=True)
class PaperMode:
    """A guardian's declaration about a student; `revoked` None while it holds."""

    declaration_id: UUID
    student_id: UUID
    guardian_id: UUID | None
    number: str
    declines_printouts: bool
    revoked: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class HeldLesson:
    """What the journal said of a lesson of a class; `is_held` False: it was withdrawn."""

    lesson_id: UUID
    class_id: UUID
    day: date
    is_held: bool
    fact_time: datetime


@dataclass(frozen=True, slots=True)
class SchoolZone:
    """The IANA zone by which a school's weeks begin and end."""

    time_zone: str
    version: int


@dataclass(frozen=True, slots=True)
class SchoolCode:
    """What anyone may know of a school whose code begins the code of a paper."""

    code: str
    school_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Roster:
    """What access told of a school's paper families."""

    zones: list[SchoolZone]
    places: list[StudentPlace]
    modes: list[PaperMode]


def find_owed(declared: Iterable[Declared], monday: date, last_lesson: date, time_zone: str) -> set[Addressee]:
    """Whom a week owes a sheet, whose last held lesson was on a day (Clauses R7, R8).

    A guardian who is on paper until the week's end, and was so before that day: of a week before the declaration nothing is
    owed, of its own week a sheet while a lesson remains. On the day of the last lesson itself nobody knows which came first. A
    declaration that is renewed counts as one, though the new one was recorded later.
    """
    zone = ZoneInfo(time_zone)
    begin, last, end = (datetime.combine(day, time.min, zone) for day in (monday, last_lesson, monday + timedelta(days=7)))
    of_guardian: dict[Addressee, list[Declared]] = defaultdict(list)
    for one in declared:
        of_guardian[one.addressee].append(one)
    return {
        addressee
        for addressee, ones in of_guardian.items()
        if any(one.recorded < end and (one.revoked is None or one.revoked >= end) for one in ones)
        and any(one.recorded < last and (one.revoked is None or one.revoked >= begin) for one in ones)
    }
