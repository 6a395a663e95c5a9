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
from services.documents.print_runs.rules.class_week import ClassWeek, StudentWeek
from services.documents.print_runs.rules.paper_families import NOBODY, Addressee

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
    """A numbered sheet to be printed. `year`: the first of the school year in which it is numbered; `wanted`: how its guardian
    asked to be given it, None where nothing was said, `wanted_note` in words of another way.
    """

    student: StudentWeek
    year: int
    number: int
    declaration_number: str
    guardian_id: UUID = NOBODY
    recipient_name: str = ""
    wanted: Channel | None = None
    wanted_note: str = ""


@dataclass(frozen=True, slots=True)
class HandOver:
    """A record of a printout's hand-over."""

    channel: Channel
    handed_date: date
    note: str
    is_receipted: bool
    record_time: datetime
    account_id: UUID


@dataclass(frozen=True, slots=True)
class Printout:
    """A sheet of a run; `hand_over` is its newest record, None before the first; `wanted` is what the guardian asked for.

    `is_owed`: the week owes it. `is_replaced`: another sheet of the same addressee and week stands for it.
    """

    student_id: UUID
    guardian_id: UUID
    recipient_name: str
    student_name: str
    year: int
    sheet_number: int
    declaration_number: str
    wanted: Channel | None
    wanted_note: str
    is_owed: bool
    is_replaced: bool
    hand_over: HandOver | None

    @property
    def addressee(self) -> Addressee:
        """Whom it is for."""
        return Addressee(self.student_id, self.guardian_id)


@dataclass(frozen=True, slots=True)
class Handed:
    """The newest record of a sheet that was handed over, of whatever run of a week; `hand_over_id` proves it."""

    addressee: Addressee
    handed_date: date
    record_time: datetime
    time_zone: str
    hand_over_id: UUID


@dataclass(frozen=True, slots=True)
class Recipient:
    """A guardian on paper with the numbers of their declarations; `name` is empty where access does not tell it. `wanted`: how
    the newest declaration asks to be given the sheet, None where it does not say.
    """

    guardian_id: UUID
    name: str
    numbers: Sequence[str]
    wanted: Channel | None = None
    wanted_note: str = ""


@dataclass(frozen=True, slots=True)
class PrintRun:
    """A printing of a class's week, without its PDF. `due_time` None where the week owes none of its sheets."""

    print_run_id: UUID
    class_id: UUID
    class_name: str
    monday: date
    time_zone: str
    create_time: datetime
    pdf_sha256: bytes
    due_time: datetime | None
    met_time: datetime | None
    printouts: Sequence[Printout]


@dataclass(frozen=True, slots=True)
class NewHandOver:
    """What the class teacher records of a printout; `handed_date` None for today."""

    addressee: Addressee
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


def choose_paper_families(week: ClassWeek, chosen: Mapping[UUID, str], families: Collection[UUID]) -> list[StudentWeek]:
    """Whose weeks to print for the families informed on paper, in the order of the class list (Clauses R7, R8).

    Raises REQUEST_INVALID when students are chosen beside, WEEK_HAS_NO_LESSONS in holidays, NO_PAPER_FAMILIES.
    """
    if chosen:
        raise _invalid("REQUEST_INVALID", "students", "leave it empty, the paper families are chosen by their declarations")
    students = [student for student in choose_students(week, {}) if student.student_id in families]
    if not students:
        raise FailedPrecondition("NO_PAPER_FAMILIES", "no family of the class is informed on paper: there is nothing to print")
    return students


def address_sheets(
    students: Sequence[StudentWeek],
    recipients: Mapping[UUID, Sequence[Recipient]],
    given: Mapping[UUID, str],
    year: int,
    first: int,
) -> list[Sheet]:
    """The numbered sheets: one for each guardian on paper, else one for nobody in particular (Clauses R7, R8).

    Two parents who both declared may live apart, so that each gets a sheet. A number that was given stands where no
    declaration is known.
    """
    unaddressed = [Recipient(NOBODY, "", ())]
    addressed = [(student, one) for student in students for one in recipients.get(student.student_id) or unaddressed]
    return [
        Sheet(
            student=student,
            year=year,
            number=number,
            declaration_number=", ".join(one.numbers) or given.get(student.student_id, ""),
            guardian_id=one.guardian_id,
            recipient_name=one.name,
            wanted=one.wanted,
            wanted_note=one.wanted_note,
        )
        for number, (student, one) in enumerate(addressed, first)
    ]


def count_sheets(students: Sequence[StudentWeek], recipients: Mapping[UUID, Sequence[Recipient]]) -> int:
    """How many sheets `address_sheets` makes."""
    return sum(max(1, len(recipients.get(student.student_id, ()))) for student in students)


def name_term(class_id: UUID, monday: date) -> str:
    """What the term of a class's week is of."""
    return str(uuid5(class_id, write_week(monday)))


def open_deadline(class_id: UUID, monday: date, time_zone: str) -> Deadline:
    """The term of a class's week (Clause R7): a week with held lessons has its printouts handed over before it ends."""
    zone = ZoneInfo(time_zone)
    return Deadline(
        CLAUSE,
        name_term(class_id, monday),
        datetime.combine(monday, time.min, zone),
        datetime.combine(monday + timedelta(days=7), time.min, zone),
    )


def check_hand_overs(
    run: PrintRun, new: Sequence[NewHandOver], account_id: UUID, now: datetime
) -> list[tuple[Addressee, HandOver]]:
    """The records to add, by the account that makes them. Raises PRINTOUT_NOT_FOUND, HAND_OVER_NOTE_REQUIRED,
    HAND_OVER_DATE_INVALID.
    """
    zone = ZoneInfo(run.time_zone)
    today, printed = now.astimezone(zone).date(), run.create_time.astimezone(zone).date()
    known = {printout.addressee for printout in run.printouts}
    records = {}
    for index, one in enumerate(new):
        if one.addressee not in known or one.addressee in records:
            raise NotFound("PRINTOUT_NOT_FOUND", "the run has no such printout, or it stands twice in the request")
        note, day, place = " ".join(one.note.split()), one.handed_date or today, f"hand_overs[{index}]"
        if one.channel >= Channel.OTHER and not note:
            raise _invalid("HAND_OVER_NOTE_REQUIRED", f"{place}.note", "say how otherwise, or why not")
        if not printed <= day <= today:
            raise _invalid("HAND_OVER_DATE_INVALID", f"{place}.handed_date", "must lie between printing and today")
        is_receipted = one.is_receipted and one.channel != Channel.NOT_HANDED_OVER
        records[one.addressee] = HandOver(one.channel, day, note, is_receipted, now, account_id)
    return list(records.items())


def find_met(owed: Collection[Addressee], handed: Sequence[Handed]) -> tuple[datetime, UUID] | None:
    """When the last one who is owed a printout got one, and the record that proves it; None while somebody has none (Clause
    R7).

    Of several runs of a week any sheet of the addressee will do, also one that is addressed to nobody in particular. Sheets
    that are owed to nobody change nothing. A hand-over recorded later holds from the end of its day.
    """
    met = []
    for one in owed:
        fitting = [sheet for sheet in handed if _is_for(sheet.addressee, one)]
        if not fitting:
            return None
        met.append(min((_hand_time(sheet), sheet.hand_over_id) for sheet in fitting))
    return max(met, default=None)


def _is_for(sheet: Addressee, owed: Addressee) -> bool:
    return sheet.student_id == owed.student_id and (
        sheet.guardian_id == owed.guardian_id or NOBODY in (sheet.guardian_id, owed.guardian_id)
    )


def _hand_time(handed: Handed) -> datetime:
    end = datetime.combine(handed.handed_date + timedelta(days=1), time.min, ZoneInfo(handed.time_zone))
    return min(handed.record_time, end)


def _invalid(reason: str, path: str, description: str) -> InvalidArgument:
    return InvalidArgument(reason, f"{path}: {description}", violations=(FieldViolation(path, description),))
