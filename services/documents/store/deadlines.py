"""The deadlines that documents keeps: R7 of each class and week."""

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from chassis.db import Connection
from chassis.deadlines import Deadline


async def insert_deadline(connection: Connection, school_id: UUID, class_id: UUID, monday: date, deadline: Deadline) -> bool:
    """Opens a term; False when it was open or met before. In `db.school`."""
    status = await connection.execute(
        """
        INSERT INTO deadlines (school_id, clause, subject_id, class_id, monday_date, start_time, due_time)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
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


async def lock_deadline(connection: Connection, school_id: UUID, deadline: Deadline) -> Deadline:
    """The term as it stands, locked until the transaction ends: hand-overs of one week take turns. In `db.school`."""
    row = await connection.fetchrow(
        """
        SELECT met_time, evidence FROM deadlines WHERE school_id = $1 AND clause = $2 AND subject_id = $3 FOR UPDATE
        """,
        school_id,
        deadline.clause,
        UUID(deadline.subject),
    )
    return deadline if row is None else replace(deadline, met=row["met_time"], evidence=row["evidence"])


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


async def find_paper_zone(connection: Connection, school_id: UUID, class_id: UUID) -> str | None:
    """The zone of a class that has been printed for; None for a class without printouts. In `db.school`."""
    zone: str | None = await connection.fetchval(
        """
        SELECT time_zone FROM print_runs WHERE school_id = $1 AND class_id = $2 ORDER BY print_run_id DESC LIMIT 1
        """,
        school_id,
        class_id,
    )
    return zone


async def count_open_deadlines(connection: Connection, now: datetime) -> list[tuple[str, int, int]]:
    """By clause over all schools: how many are not met, and how many of these are past due. In `db.jobs`."""
    rows = await connection.fetch(
        """
        SELECT clause, count(*) AS open, count(*) FILTER (WHERE due_time < $1) AS overdue
        FROM deadlines WHERE met_time IS NULL GROUP BY clause
        """,
        now,
    )
    return [(row["clause"], row["open"], row["overdue"]) for row in rows]
