"""What notify decides: kinds, states, outcomes, when to try again, what may be told of an answer, how dates are written."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import IntEnum
from uuid import UUID
from zoneinfo import ZoneInfo

_MONTHS = ["января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря"]

# Pauses after a failed attempt: ten attempts over a day, the first ones close enough for a server that restarts.
PAUSES = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=7),
    timedelta(hours=12),
)
ATTEMPTS = len(PAUSES) + 1
_ANSWER_LENGTH = 200
# 5.subject.detail before the words of a refusal (RFC 3463, RFC 2034).
_ENHANCED = re.compile(r"\s*5\.(\d{1,3})\.(\d{1,3})(?=\s|$)")
# Details that are of the receiver's address or mailbox, or of the letter's size; of subject 6, the content, all are.
_DETAILS_OF_LETTER = {1: (0, 1, 2, 3, 4, 6, 10), 2: (0, 1, 3, 4), 3: (4,)}
_CONTENT = 6
# Mailbox unavailable, not local, name not allowed, takes no mail (RFC 5321, RFC 7504), where no words speak of the sender.
_REFUSALS_OF_LETTER = (550, 551, 553, 556)
_WORDS_OF_US = re.compile(
    r"relay|auth|log(?:ged)?[ -]?(?:in|on)|client|helo|ehlo|host|block|black|banned|denied|spam|rbl|reputation|policy|sender|"
    r"rate|limit|quota|too many|full|later|tempor"
)
# Said of a full mailbox, and of a letter too large (RFC 1870).
_STORAGE_EXCEEDED = 552
_WORDS_OF_SIZE = re.compile(r"size|length|too (?:big|large)")
# What some system reads as a part of a path, or refuses in a file's name.
_NOT_IN_FILE_NAMES = re.compile(r'[/\\:*?"<>|]')


class Kind(IntEnum):
    """Kinds of notices; numbers of diary.notify.v1.NoticeKind."""

    CREDENTIALS = 1
    MARKS = 2
    DECISION = 3
    ACCESS_ENDS = 4


class EndingCause(IntEnum):
    """Why an access ends by itself; numbers of diary.access.v1.GrantEndingCause."""

    OF_AGE = 1
    AUTHORITY = 2
    LEAVING = 3


class State(IntEnum):
    """States of a delivery; numbers of diary.notify.v1.DeliveryState, and SENDING, which others see as waiting."""

    WAITING = 1
    SENT = 2
    FAILED = 3
    CANCELLED = 4
    SENDING = 5


class Outcome(IntEnum):
    """How an attempt ended. UNKNOWN: the letter left and no answer came, so the server may have it."""

    ACCEPTED = 1
    DEFERRED = 2
    REFUSED = 3
    UNKNOWN = 4
    NOT_WANTED = 5


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this process may take until `lease_end_time`, which also tells its claim from another's."""

    school_id: UUID
    delivery_id: UUID
    is_decision: bool
    lease_end_time: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that is being sent by this process. `attempt_count` counts this attempt too.

    A decision goes to an applicant, who need not have an account; all others go to an account.
    """

    school_id: UUID
    delivery_id: UUID
    kind: Kind
    account_id: UUID | None
    student_id: UUID | None
    grant_id: UUID | None
    applicant_id: UUID | None
    document_id: UUID | None
    mark_ids: Sequence[UUID]
    attempt_count: int
    is_copy_possible: bool
    fact_time: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt ended, and the provider's answer, free of addresses and secrets."""

    outcome: Outcome
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Next:
    """What a delivery becomes after an attempt; `attempt_time` only while it waits."""

    state: State
    attempt_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Preference:
    """Whether letters about a student's marks are sent to an account."""

    student_id: UUID
    is_marks_letter_on: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as it is listed."""

    delivery_id: UUID
    kind: Kind
    account_id: UUID | None
    student_id: UUID | None
    state: State
    attempt_count: int
    provider_answer: str
    create_time: datetime
    send_time: datetime | None


@dataclass(frozen=True, slots=True)
class Placement:
    """A student's time in a class, from midnight to midnight of the school; `to_time` None while open."""

    class_id: UUID
    from_time: datetime
    to_time: datetime | None


@dataclass(frozen=True, slots=True)
class StudentPlace:
    """A student's class as access told it, and all times in classes."""

    student_id: UUID
    class_id: UUID | None
    version: int
    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class TaughtMark:
    """A mark as a letter tells it; `previous_value` is 0 where it had none before it was changed."""

    lesson_day: date
    subject: str
    value: int
    work_type: str
    topic: str
    is_changed: bool
    previous_value: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FirstSignIn:
    """What opens an access, and the application on which it was given (Clause R26). The token is a secret."""

    school_name: str
    application_number: str
    application_date: date
    student_called_name: str
    login: str
    token: str = field(repr=False)
    expire_time: datetime
    time_zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Ending:
    """An access that ends by itself, as a letter tells it: to its holder, or to the student whose guardian holds it (R6, R13).

    `last_day` is the last one on which it holds, until 24:00; `student_name` the given name.
    """

    cause: EndingCause
    last_day: date
    student_name: str
    school_name: str
    holder_name: str
    is_to_holder: bool
    is_of_student: bool


@dataclass(frozen=True, slots=True)
class SignedDecision:
    """A signed refusal and what it answers. `scan` and `signature` are empty where the head signed in the other way (R22)."""

    number: str
    school_name: str
    application_number: str
    application_date: date
    pdf: bytes
    scan: bytes
    signature: bytes


def plan_next(outcome: Outcome, attempt_count: int, now: datetime) -> Next:
    """What follows an attempt, the `attempt_count`-th. Ten in vain are enough."""
    match outcome:
        case Outcome.ACCEPTED:
            return Next(State.SENT)
        case Outcome.REFUSED:
            return Next(State.FAILED)
        case Outcome.NOT_WANTED:
            return Next(State.CANCELLED)
        case _ if attempt_count >= ATTEMPTS:
            return Next(State.FAILED)
        case _:
            return Next(State.WAITING, now + PAUSES[attempt_count - 1])


def judge_refusal(code: int, message: str) -> Outcome:
    """What a mail server's refusal is of: the letter or its receiver (REFUSED), or of us or of this hour (DEFERRED).

    Postfix says both at RCPT, so the stage tells nothing; the enhanced code does (RFC 3463). 5.7.x is a policy against the
    sender, 5.4.x and 5.5.x are routes and protocol, a full mailbox is emptied one day. Without one reply code and words decide.
    """
    if code < 500:
        return Outcome.DEFERRED
    enhanced = _ENHANCED.match(message)
    if enhanced is None:
        words = message.casefold()
        is_of_letter = code in _REFUSALS_OF_LETTER and not _WORDS_OF_US.search(words)
        is_of_letter |= code == _STORAGE_EXCEEDED and bool(_WORDS_OF_SIZE.search(words))
    else:
        subject, detail = int(enhanced[1]), int(enhanced[2])
        is_of_letter = detail in _DETAILS_OF_LETTER.get(subject, ()) or subject == _CONTENT
    return Outcome.REFUSED if is_of_letter else Outcome.DEFERRED


def one_line(text: str) -> str:
    """A text without line breaks, control and direction characters: inert in a header and in a line of a letter."""
    spaced = "".join(" " if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs") else char for char in text)
    return " ".join(spaced.split())


def clean_answer(answer: str, secrets: Sequence[str]) -> str:
    """A provider's answer on one line, 200 characters at most, with each of `secrets` (address, token) left out."""
    known = sorted({part for secret in secrets for part in (secret, secret.partition("@")[0]) if len(part) > 2}, key=len)
    for secret in reversed(known):
        answer = re.sub(re.escape(secret), "…", answer, flags=re.IGNORECASE)
    return one_line(answer)[:_ANSWER_LENGTH]


def find_last_day(end_time: datetime, zone: ZoneInfo) -> date:
    """The last day of what holds until `end_time`, exclusive: midnight is 24:00 of the day before."""
    return (end_time - timedelta(microseconds=1)).astimezone(zone).date()


def name_file(number: str) -> str:
    """The name of a decision's file, without ending and without anybody's name: 3-ЭДО/2026 is «Решение 3-ЭДО-2026»."""
    return f"Решение {_NOT_IN_FILE_NAMES.sub('-', one_line(number))}"


def write_day(day: date) -> str:
    """A day as a letter writes it: 3 марта."""
    return f"{day.day} {_MONTHS[day.month - 1]}"


def write_date(day: date) -> str:
    """A day with its year: 3 марта 2027 г."""
    return f"{write_day(day)} {day.year} г."


def write_moment(moment: datetime, zone: ZoneInfo) -> str:
    """An instant as a letter writes it, in the school's zone: 7 декабря 2026 г., 14:30."""
    local = moment.astimezone(zone)
    return f"{write_date(local.date())}, {local:%H:%M}"
