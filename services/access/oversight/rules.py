"""The deadlines of a school, whichever service owns them (Clauses R6, R7, R13, R15, R16, R18)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chassis import deadlines
from chassis.deadlines import DeadlineState
from services.access.people.rules.roles import Role
from services.access.rights.rules.grants import END_WARNING

READING = frozenset({Role.ADMIN, Role.HEAD})
_WARNING = timedelta(days=1)
# Clauses under which an access ends by itself.
ENDS = frozenset({"R6", "R13"})


@dataclass(frozen=True, slots=True)
class ListedDeadline:
    """A deadline of a list; of an access that ends by itself (R6, R13) `due_time` is the end and nothing meets it.
    `application_id` is the case of the applicant whom it is about (R15).
    """

    clause: str
    subject_id: str
    start_time: datetime
    due_time: datetime
    met_time: datetime | None
    evidence_id: str
    application_id: UUID | None = None


def find_state(listed: ListedDeadline, now: datetime) -> DeadlineState:
    """What the deadline is now."""
    deadline = deadlines.Deadline(
        listed.clause, listed.subject_id, listed.start_time, listed.due_time, listed.met_time, listed.evidence_id
    )
    return deadlines.state_at(deadline, now, END_WARNING if listed.clause in ENDS else _WARNING)
