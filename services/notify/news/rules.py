"""What happened, for whom, and how a letter writes texts and days."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis import words

# What some system reads as a part of a path, or refuses in a file's name.
_NOT_IN_FILE_NAMES = re.compile(r'[/\\:*?"<>|]')


@dataclass(frozen=True, slots=True)
class Fact:
    """What an event tells: to an account, to an applicant, who need not have one, or to those who hear of a student."""

    account_id: UUID | None = None
    applicant_id: UUID | None = None
    student_id: UUID | None = None
    grant_id: UUID | None = None
    document_id: UUID | None = None
    mark_id: UUID | None = None
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that is being sent. `kind` is a number of NoticeKind; `attempt_count` counts this attempt too."""

    school_id: UUID
    delivery_id: UUID
    kind: int
    account_id: UUID | None
    student_id: UUID | None
    grant_id: UUID | None
    applicant_id: UUID | None
    document_id: UUID | None
    mark_ids: Sequence[UUID]
    attempt_count: int
    is_copy_possible: bool
    fact_time: datetime


def one_line(text: str) -> str:
    """A text without line breaks, control and direction characters: inert in a header and in a line of a letter."""
    spaced = "".join(" " if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs") else char for char in text)
    return " ".join(spaced.split())


def find_last_day(end_time: datetime, zone: ZoneInfo) -> date:
    """The last day of what holds until `end_time`, exclusive: midnight is 24:00 of the day before."""
    return (end_time - timedelta(microseconds=1)).astimezone(zone).date()


def name_file(number: str) -> str:
    """The name of a decision's file, without ending and without anybody's name: 3-ЭДО/2026 is «Решение 3-ЭДО-2026»."""
    return f"Решение {_NOT_IN_FILE_NAMES.sub('-', one_line(number))}"


def write_day(day: date) -> str:
    """A day as a letter writes it: 3 марта."""
    return f"{day.day} {words.month_of(day)}"


def write_date(day: date) -> str:
    """A day with its year: 3 марта 2027 г."""
    return f"{write_day(day)} {day.year} г."


def write_moment(moment: datetime, zone: ZoneInfo) -> str:
    """An instant as a letter writes it, in the school's zone: 7 декабря 2026 г., 14:30."""
    local = moment.astimezone(zone)
    return f"{write_date(local.date())}, {local:%H:%M}"
