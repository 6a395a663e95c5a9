"""The deadlines that documents keeps: R7 of each class and week."""

from datetime import date, datetime
from uuid import UUID

from chassis.db import Connection
from chassis.deadlines import Deadline
from services.documents.print_runs.rules.runs import CLAUSE


async def insert_deadline(connection: Connection, school_id: UUID, class_id: UUID, monday: date, deadline: Deadline) -> bool:
    """Opens a term, or one that was taken back anew; False when it was open or met before. In `db.school`."""
    status = await connection.execute(
        """
        INSERT INTO deadlines AS kept (school_id, clause, subject_id, class_id, monday_date, start_time, due_time)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (school_id, clause, subject_id) DO UPDATE SET is_void = false, met_time = NULL, evidence = ''
        WHERE kept.is_void
        """,
        school_id,
        deadline.clause,
        UUID(deadline.subject),
        class_id,
        monday,
        deadline.started,
        deadline.due,
    )
    return status.endswith(" 1")


async def lock_deadline(connection: Connection, school_id: UUID, class_id: UUID, monday: date) -> Deadline | None:
    """The term of a week, None without one or when it was taken back, locked until the transaction ends: hand-overs of one
    week take turns. In `db.school`.
    """
    row = await connection.fetchrow(
        """
        SELECT subject_id, start_time, due_time, met_time, evidence FROM deadlines
        WHERE school_id = $1 AND clause = $2 AND class_id = $3 AND monday_date = $4 AND NOT is_void FOR UPDATE
        """,
        school_id,
        CLAUSE,
        class_id,
        monday,
    )
    if row is None:
        return None
    return Deadline(CLAUSE, str(row["subject_id"]), row["start_time"], row["due_time"], row["met_time"], row["evidence"])


async def update_met(connection: Connection, school_id: UUID, deadline: Deadline) -> None:
    """Writes when a term was met and by what, or that it is open again. In `db.school`."""
    await connection.execute(
        "UPDATE deadlines SET met_time = $4, evidence = $5 WHERE school_id = $1 AND clause = $2 AND subject_id = $3",
        school_id,
        deadline.clause,
        UUID(deadline.subject),
        deadline.met,
        deadline.evidence,
    )


async def void_deadline(connection: Connection, school_id: UUID, deadline: Deadline) -> None:
    """Takes a term back that never was. In `db.school`."""
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
