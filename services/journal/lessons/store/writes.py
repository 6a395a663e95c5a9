"""What all writes of the journal share.

A write is one statement that reads all it needs to decide, a decision, and one statement that saves everything. Nothing is
locked while Python decides: the save holds only when what it was decided on still stands, and otherwise saves nothing, so that
the caller reads again. No transaction of several round trips is needed.

| what a decision stands on | who changes it meanwhile | how the save asks again |
|--|--|--|
| the marks of the course | teachers | the chain's seq |
| a lesson's record, its absences | teachers | the lesson's revisions |
| the lesson is held | who takes a lesson back | state of the lesson |
| the period is open | who closes it | `period_is_open` |
| the student is in the course on that day | the roster | MEMBER |
| the caller teaches the course, in a live session | access | not: a call begun before the ending may end after it |
| the scale, whether the course is marked, work types | the roster, between years | not: a mark of a moment before is right |

An act that reads marks in order to close something (a period's marks) must lock the chains that it reads: a save that began
before sees the period open, and holds.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from chassis import calls, sight
from chassis.db import Committed, Connection, announce

# In reads, which enter their school: $2 course, $3 account, $4 session, $5 now, $6 request_id.
CALLER = sight.Viewer("door.school_id", "$3", "$4", "$5")
TEACHES = CALLER.may(sight.teaches("$2"))
# In saves: asked again of a student's day in a course; the school is $1.
MEMBER = """EXISTS (
    SELECT FROM course_members m
    WHERE m.school_id = $1 AND m.course_id = {course} AND m.student_id = {student}
      AND m.from_date <= {day} AND (m.to_date IS NULL OR {day} <= m.to_date)
)"""
ANSWERED = "LEFT JOIN requests q ON q.account_id = $3 AND q.request_id = $6"

# In saves: the parameters that `save` gives; `saved` is the CTE that has a row when the save holds. $3 is the event's
# subject and its thread.
TOLD = """
told AS (
    INSERT INTO outbox (event_id, school_id, subject, payload, traceparent, create_time)
    SELECT $2, $1, ($3::text[])[1], $4, ($3::text[])[2], $10 FROM saved
    RETURNING event_number
), answered AS (
    INSERT INTO requests (account_id, request_id, rpc, digest, answer, create_time) SELECT $5, $6, $7, $8, $9, $10 FROM saved
)
SELECT event_number FROM told
"""


@dataclass(frozen=True, slots=True)
class Call:
    """A write's caller and request. `digest` tells one request from another under the same request_id."""

    school_id: UUID
    account_id: UUID
    session_id: UUID
    request_id: UUID
    rpc: str
    digest: bytes
    now: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered before under a request_id, by which method, and the digest of that request."""

    rpc: str
    digest: bytes
    answer: bytes


@dataclass(frozen=True, slots=True)
class Fact:
    """What a save tells: the answer to the caller, and the event of this subject."""

    call: Call
    answer: bytes
    subject: str
    payload: bytes


def read_arguments(call: Call, course_id: UUID) -> tuple[Any, ...]:
    """$2 to $6 of a read."""
    return course_id, call.account_id, call.session_id, call.now, call.request_id


def read_answered(row: Any) -> Answered | None:
    """The kept answer of a row with the columns `rpc`, `digest` and `answer`."""
    return None if row["digest"] is None else Answered(row["rpc"], row["digest"], row["answer"])


async def save(connection: Connection, statement: str, fact: Fact, *arguments: object) -> bool:
    """Runs a save whose own parameters begin at $11; False when what it was decided on no longer stands."""
    call = fact.call
    event_id, traceparent = uuid4(), calls.traceparent()
    told = call.school_id, event_id, [fact.subject, traceparent], fact.payload
    answered = call.account_id, call.request_id, call.rpc, call.digest, fact.answer, call.now
    try:
        rows = await connection.fetch(statement, *told, *answered, *arguments)
    except asyncpg.UniqueViolationError:
        # The same request, or the same mark_id in another course, at this very moment.
        return False
    for row in rows:
        event = event_id, call.school_id, fact.subject, fact.payload, traceparent, call.now
        announce(connection, Committed(row["event_number"], *event))
    return bool(rows)


async def keep_answer(connection: Connection, call: Call, answer: bytes) -> bool:
    """Keeps the answer of a call that changed nothing; False when the same call was answered meanwhile."""
    status = await connection.execute(
        """
        INSERT INTO requests (account_id, request_id, rpc, digest, answer, create_time) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT DO NOTHING
        """,
        call.account_id,
        call.request_id,
        call.rpc,
        call.digest,
        answer,
        call.now,
    )
    return status.endswith(" 1")
