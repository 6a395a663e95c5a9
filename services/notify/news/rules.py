"""What happened, for whom, and how a letter writes texts and days."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis import words

# What some system reads as a part of a path, or refuses in a file's name.
_NOT_IN_FILE_NAMES = re.compile(r'[/\\:*?"<>|]')


@dataclass(frozen=True, slots=True)
class Fact:
    """What an event tells of one thing (a mark, a grant, a document): to an account, to an applicant, who need not have one, or
    to those who hear of a student.

    It is told once: by its `revision` where it has one, else by its `key`, else by the event. `hold_until`: to nobody before.
    """

    object_id: UUID
    account_id: UUID | None = None
    applicant_id: UUID | None = None
    student_id: UUID | None = None
    revision: int | None = None
    key: UUID | None = None
    hold_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class News:
    """Something happened that one viewer may be told: an account, of a student or not, or an applicant. `kind` is a number of
    NoticeKind, `fact_key` tells the fact from any other.
    """

    kind: int
    account_id: UUID | None
    applicant_id: UUID | None
    student_id: UUID | None
    object_ids: tuple[UUID, ...]
    fact_key: UUID
    fact_time: datetime
    hold_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that is being sent, and the news that it tells, which are of one kind; `attempt_count` counts this attempt
    too.
    """

    school_id: UUID
    delivery_id: UUID
    channel: int
    kind: int
    account_id: UUID | None
    applicant_id: UUID | None
    student_id: UUID | None
    object_ids: Sequence[UUID]
    fact_times: Sequence[datetime]
    attempt_count: int
    is_copy_possible: bool

    @property
    def object_id(self) -> UUID:
        """What it tells of, where that is one."""
        [object_id] = self.object_ids
        return object_id


def gather_news(kind: int, event_id: UUID, fact_time: datetime, facts: Iterable[Fact]) -> list[News]:
    """The news of the facts of an event: those that the same viewer is told of the same student are one, and so are those told
    to whoever hears of a student, who have no viewer yet.
    """
    gathered: dict[tuple[UUID | None, UUID | None, UUID | None], list[Fact]] = {}
    for fact in facts:
        gathered.setdefault((fact.account_id, fact.applicant_id, fact.student_id), []).append(fact)
    return [
        News(
            kind,
            *viewer,
            tuple(fact.object_id for fact in told),
            find_key(event_id, told),
            fact_time,
            max((fact.hold_until for fact in told if fact.hold_until is not None), default=None),
        )
        for viewer, told in gathered.items()
    ]


def find_key(event_id: UUID, facts: Sequence[Fact]) -> UUID:
    """What makes the same facts the same, by whatever event they are told: a digest of things and revisions, or their own key
    (docs/decisions/0122).
    """
    if all(fact.revision is not None for fact in facts):
        told = ",".join(f"{fact.object_id} {fact.revision}" for fact in sorted(facts, key=_by_thing))
        return UUID(bytes=hashlib.md5(told.encode(), usedforsecurity=False).digest())
    return facts[0].key or event_id


def _by_thing(fact: Fact) -> tuple[UUID, int]:
    return fact.object_id, fact.revision or 0


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
