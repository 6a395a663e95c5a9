"""The table `deadlines` of a service: clause and subject, begun, due, met by what, and whether it never was."""

from datetime import datetime
from uuid import UUID

from chassis.db import Connection
from chassis.deadlines import Deadline


async def lock_deadline(connection: Connection, school_id: UUID, clause: str, subject: str) -> Deadline | None:
    """A deadline, None without one or when it was taken back, locked until the transaction ends: who meets it or opens it
    again takes turns. In `db.school`.
    """
    row = await connection.fetchrow(
        """
        SELECT start_time, due_time, met_time, evidence FROM deadlines
        WHERE school_id = $1 AND clause = $2 AND subject_id = $3 AND NOT is_void FOR UPDATE
        """,
        school_id,
        clause,
        UUID(subject),
    )
    return None if row is None else Deadline(clause, subject, *row.values())


async def update_met(connection: Connection, school_id: UUID, deadline: Deadline) -> None:
    """Writes when a deadline was met and by what, or that it is open again. In `db.school`."""
    await connection.execute(
        "UPDATE deadlines SET met_time = $4, evidence = $5 WHERE school_id = $1 AND clause = $2 AND subject_id = $3",
        school_id,
        deadline.clause,
        UUID(deadline.subject),
        deadline.met,
        deadline.evidence,
    )


async def void_deadline(connection: Connection, school_id: UUID, deadline: Deadline) -> None:
    """Takes a deadline back that never was. In `db.school`."""
    await connection.execute(
        "UPDATE deadlines SET is_void = true WHERE school_id = $1 AND clause = $2 AND subject_id = $3",
        school_id,
        deadline.clause,
        UUID(deadline.subject),
    )


async def count_open_deadlines(connection: Connection, now: datetime) -> list[tuple[str, int, int]]:
    """By clause over all schools: how many are not met, and how many of these are past due. In `db.jobs`."""
    rows = await connection.fetch(
        """
        SELECT clause, count(*) AS open, count(*) FILTER (WHERE due_time < $1) AS overdue
        FROM deadlines WHERE met_time IS NULL AND NOT is_void GROUP BY clause
        """,
        now,
    )
    return [(row["clause"], row["open"], row["overdue"]) for row in rows]
