"""How a letter stands, how an attempt ended, and when it is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from uuid import UUID

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
    has_files: bool
    lease_end_time: datetime


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
class Delivery:
    """A delivery as it is listed; `kind` is a number of NoticeKind."""

    delivery_id: UUID
    kind: int
    account_id: UUID | None
    student_id: UUID | None
    state: State
    attempt_count: int
    provider_answer: str
    create_time: datetime
    send_time: datetime | None


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
