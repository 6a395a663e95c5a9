"""The one shape of every clock of the regulation (Clauses R6, R7, R15, R16, R18), and what it is at a moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class DeadlineState(StrEnum):
    """What a deadline is at a moment."""

    OPEN = "open"
    WARNED = "warned"
    MET_IN_TIME = "met_in_time"
    MET_LATE = "met_late"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Deadline:
    """A term under a clause ("R15") for a subject (its id). Instants are aware.

    `due` is the last instant at which it is kept; `met` is when it was met, or None; `evidence` is the id of the record
    that proves it, empty until met.
    """

    clause: str
    subject: str
    started: datetime
    due: datetime
    met: datetime | None = None
    evidence: str = ""


def state_at(deadline: Deadline, now: datetime, warn_before: timedelta) -> DeadlineState:
    """The state at `now`; what was met after `now` counts as not yet met, so any past moment can be asked for.

    A deadline is warned of from `warn_before` ahead of its due moment.
    """
    if deadline.met is not None and deadline.met <= now:
        return DeadlineState.MET_IN_TIME if deadline.met <= deadline.due else DeadlineState.MET_LATE
    if now > deadline.due:
        return DeadlineState.OVERDUE
    return DeadlineState.WARNED if now >= deadline.due - warn_before else DeadlineState.OPEN
