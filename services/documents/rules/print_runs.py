"""Print runs and the hand-over of their sheets: what may be printed, what may be recorded, when R7 is kept."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from chassis.deadlines import Deadline
from chassis.errors import FailedPrecondition, FieldViolation, InvalidArgument, NotFound
from services.documents.rules.class_week import ClassWeek, StudentWeek

CLAUSE = "R7"
_WEEK = re.compile(r"(\d{4})-W(\d\d)")
_YEAR_BEGINS_IN = 9


class Channel(IntEnum):
    """How a printout reached the family; numbers of the proto and of the table."""

    WITH_CHILD = 1
    IN_PERSON = 2
    OTHER = 3
    NOT_HANDED_OVER = 4


@dataclass(frozen=True, slots=True)
class Sheet:
    """A numbered sheet to be printed. `year`: the first of the school year in which it is numbered."""

    student: StudentWeek
    year: int
    number: int
    declaration_number: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """A record of a printout's hand-over."""

    channel: Channel
    handed_date: date
    note: str
    is_receipted: bool
    record_time: datetime


@dataclass(frozen=True, slots=True)
class Printout:
    """A sheet of a run; `hand_over` is its newest record, None before the first."""

    student_id: UUID
    student_name: str
    year: int
    sheet_number: int
    declaration_number: str
    hand_over: HandOver | None


@dataclass(frozen=True, slots=True)
class PrintRun:
    """A printing of a class's week, without its PDF."""

    print_run_id: UUID
    class_id: UUID
    class_name: str
    monday: date
    time_zone: str
    create_time: datetime
    pdf_sha256: bytes
    due_time: datetime
    met_time: datetime | None
    printouts: Sequence[Printout]


@dataclass(frozen=True, slots=True)
class NewHandOver:
    """What the class teacher records of a printout; `handed_date` None for today."""

    student_id: UUID
    channel: Channel
    handed_date: date | None
    note: str
    is_receipted: bool


def read_week(week: str) -> date:
    """The Monday of an ISO week. Raises InvalidArgument WEEK_INVALID."""
    try:
        year, number = map(int, _WEEK.fullmatch(week).groups())  # type: ignore[union-attr]  # None is told as any other
        return date.fromisocalendar(year, number, 1)
    except (ValueError, AttributeError) as error:
        raise InvalidArgument("WEEK_INVALID", "the week is not an ISO week, such as 2026-W37") from error


def write_week(monday: date) -> str:
    """The ISO week of a Monday."""
    year, week, _ = monday.isocalendar()
    return f"{year:04}-W{week:02}"


def find_school_year(day: date) -> int:
    """The first year of the school year of a day: it begins on the first of September."""
    return day.year if day.month >= _YEAR_BEGINS_IN else day.year - 1


def choose_students(week: ClassWeek, declarations: Mapping[UUID, str]) -> list[StudentWeek]:
    """Whose weeks to print, in the order of the class list: the chosen, or all where none is chosen.

    Raises WEEK_HAS_NO_LESSONS in holidays, STUDENT_NOT_FOUND when one chosen is not in the class.
    """
    if strangers := declarations.keys() - {student.student_id for student in week.students}:
        raise NotFound("STUDENT_NOT_FOUND", "a chosen student is not in the class", {"student_id": str(min(strangers))})
    if not any(student.lesson_count for student in week.students):
        raise FailedPrecondition("WEEK_HAS_NO_LESSONS", "the class held no lesson in this week, so there is nothing to print")
    return [student for student in week.students if not declarations or student.student_id in declarations]


def choose_paper_families(week: ClassWeek, chosen: Mapping[UUID, str], families: Mapping[UUID, str]) -> list[StudentWeek]:
    """Whose weeks to print for the families informed on paper, in the order of the class list (Clauses R7, R8).

    Raises REQUEST_INVALID when students are chosen beside, WEEK_HAS_NO_LESSONS in holidays, NO_PAPER_FAMILIES.
    """
    if chosen:
        raise _invalid("REQUEST_INVALID", "students", "leave it empty, the paper families are chosen by their declarations")
    students = [student for student in choose_students(week, {}) if student.student_id in families]
    if not students:
        raise FailedPrecondition("NO_PAPER_FAMILIES", "no family of the class is informed on paper: there is nothing to print")
    return students


def number_declarations(numbers: Mapping[UUID, Sequence[str]], given: Mapping[UUID, str]) -> dict[UUID, str]:
    """What stands on a student's sheet: the number that was given, else those of both parents' declarations (Clause R8)."""
    known = {student_id: ", ".join(of_student) for student_id, of_student in numbers.items()}
    return known | {student_id: number for student_id, number in given.items() if number}


def open_deadline(class_id: UUID, monday: date, time_zone: str) -> Deadline:
    """The term of a class's week (Clause R7): a week with held lessons has its printouts handed over before it ends."""
    zone = ZoneInfo(time_zone)
    return Deadline(
        CLAUSE,
        str(uuid5(class_id, write_week(monday))),
        datetime.combine(monday, time.min, zone),
        datetime.combine(monday + timedelta(days=7), time.min, zone),
    )


def check_hand_overs(run: PrintRun, new: Sequence[NewHandOver], now: datetime) -> list[tuple[UUID, HandOver]]:
    """The records to add. Raises PRINTOUT_NOT_FOUND, HAND_OVER_NOTE_REQUIRED, HAND_OVER_DATE_INVALID."""
    zone = ZoneInfo(run.time_zone)
    today, printed = now.astimezone(zone).date(), run.create_time.astimezone(zone).date()
    known = {printout.student_id for printout in run.printouts}
    records = {}
    for index, one in enumerate(new):
        if one.student_id not in known or one.student_id in records:
            raise NotFound("PRINTOUT_NOT_FOUND", "the run has no such printout, or it stands twice in the request")
        note, day, place = " ".join(one.note.split()), one.handed_date or today, f"hand_overs[{index}]"
        if one.channel >= Channel.OTHER and not note:
            raise _invalid("HAND_OVER_NOTE_REQUIRED", f"{place}.note", "say how otherwise, or why not")
        if not printed <= day <= today:
            raise _invalid("HAND_OVER_DATE_INVALID", f"{place}.handed_date", "must lie between printing and today")
        is_receipted = one.is_receipted and one.channel != Channel.NOT_HANDED_OVER
        records[one.student_id] = HandOver(one.channel, day, note, is_receipted, now)
    return list(records.items())


def find_met_time(runs: Sequence[PrintRun], owed: Collection[UUID] = ()) -> datetime | None:
    """When the last student printed for, or owed a printout, got one; None while somebody has none (Clause R7).

    Of several runs of a week any printout of a student will do. A hand-over recorded later holds from the end of its day.
    """
    met: dict[UUID, datetime | None] = dict.fromkeys(owed)
    for run in runs:
        for printout in run.printouts:
            times = [time for time in (met.get(printout.student_id), _hand_time(printout, run)) if time]
            met[printout.student_id] = min(times, default=None)
    times = [time for time in met.values() if time]
    return max(times) if times and len(times) == len(met) else None


def _hand_time(printout: Printout, run: PrintRun) -> datetime | None:
    record = printout.hand_over
    if record is None or record.channel == Channel.NOT_HANDED_OVER:
        return None
    end = datetime.combine(record.handed_date + timedelta(days=1), time.min, ZoneInfo(run.time_zone))
    return min(record.record_time, end)


def _invalid(reason: str, path: str, description: str) -> InvalidArgument:
    return InvalidArgument(reason, f"{path}: {description}", violations=(FieldViolation(path, description),))
