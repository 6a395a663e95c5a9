"""The queue of endings that must still reach another service."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chassis.db import Connection

TARGETS = ("journal", "notify", "documents")
# Longer than a push may take, so that the job leaves to a waiting call what that call is pushing.
LEASE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Push:
    """One relation (of a school) or session that `target` has not confirmed."""

    push_id: int
    target: str
    school_id: UUID | None
    relation_id: UUID | None
    session_id: UUID | None


async def insert_relation_pushes(connection: Connection, school_id: UUID, relation_ids: Sequence[UUID], now: datetime) -> None:
    """Queues ended relations for every target. An earlier push that still waits may be on its way with the older version."""
    await connection.execute(
        """
        INSERT INTO ending_pushes (target, school_id, relation_id, create_time, try_time)
        SELECT target, $1, relation_id, $4, $5 FROM unnest($2::text[]) AS target, unnest($3::uuid[]) AS relation_id
        """,
        school_id,
        TARGETS,
        relation_ids,
        now,
        now + LEASE,
    )


async def insert_session_pushes(connection: Connection, session_id: UUID, now: datetime) -> None:
    """Queues an ended session for every target. In `db.region`."""
    await connection.execute(
        """
        INSERT INTO ending_pushes (target, session_id, create_time, try_time)
        SELECT target, $2, $3, $4 FROM unnest($1::text[]) AS target
        """,
        TARGETS,
        session_id,
        now,
        now + LEASE,
    )


async def list_pushes_of_fact(connection: Connection, school_id: UUID, fact_id: UUID) -> list[Push]:
    """What still waits of the relations of one fact. In `db.school`."""
    rows = await connection.fetch(
        """
        SELECT p.push_id, p.target, p.school_id, p.relation_id, p.session_id
        FROM relations r JOIN ending_pushes p ON p.relation_id = r.relation_id
        WHERE r.school_id = $1 AND r.fact_id = $2
        """,
        school_id,
        fact_id,
    )
    return [Push(**row) for row in rows]


async def list_pushes_of_statement(connection: Connection, school_id: UUID, application_id: UUID) -> list[Push]:
    """What still waits of the relations that a statement has ended. In `db.school`."""
    rows = await connection.fetch(
        """
        SELECT p.push_id, p.target, p.school_id, p.relation_id, p.session_id
        FROM grants g
        JOIN relations r ON r.school_id = g.school_id AND r.fact_id = g.grant_id
        JOIN ending_pushes p ON p.relation_id = r.relation_id
        WHERE g.school_id = $1 AND g.end_application_id = $2
        """,
        school_id,
        application_id,
    )
    return [Push(**row) for row in rows]


async def list_pushes_of_student(connection: Connection, school_id: UUID, student_id: UUID) -> list[Push]:
    """What still waits of the relations of anyone's grants about a student. In `db.school`."""
    rows = await connection.fetch(
        """
        SELECT p.push_id, p.target, p.school_id, p.relation_id, p.session_id
        FROM grants g
        JOIN relations r ON r.school_id = g.school_id AND r.fact_id = g.grant_id
        JOIN ending_pushes p ON p.relation_id = r.relation_id
        WHERE g.school_id = $1 AND g.student_id = $2
        """,
        school_id,
        student_id,
    )
    return [Push(**row) for row in rows]


async def list_pushes_of_session(connection: Connection, session_id: UUID) -> list[Push]:
    """What still waits of one session's end. In `db.region`."""
    rows = await connection.fetch(
        "SELECT push_id, target, school_id, relation_id, session_id FROM ending_pushes WHERE session_id = $1", session_id
    )
    return [Push(**row) for row in rows]


async def list_pushes_of_accounts(connection: Connection, account_ids: Sequence[UUID]) -> list[Push]:
    """What still waits of the ends of accounts' sessions. In `db.region`."""
    rows = await connection.fetch(
        """
        SELECT p.push_id, p.target, p.school_id, p.relation_id, p.session_id
        FROM sessions s JOIN ending_pushes p ON p.session_id = s.session_id WHERE s.account_id = ANY ($1::uuid[])
        """,
        account_ids,
    )
    return [Push(**row) for row in rows]


async def claim_due_pushes(connection: Connection, now: datetime, limit: int) -> list[Push]:
    """Takes what is due for the time of the lease. In `db.jobs`."""
    rows = await connection.fetch(
        """
        UPDATE ending_pushes SET try_time = $2 WHERE push_id IN (
            SELECT push_id FROM ending_pushes WHERE try_time <= $1 ORDER BY try_time LIMIT $3 FOR UPDATE SKIP LOCKED
        ) RETURNING push_id, target, school_id, relation_id, session_id
        """,
        now,
        now + LEASE,
        limit,
    )
    return [Push(**row) for row in rows]


async def delete_pushes(connection: Connection, push_ids: Sequence[int]) -> None:
    """Drops what is confirmed. In `db.jobs`."""
    await connection.execute("DELETE FROM ending_pushes WHERE push_id = ANY ($1::bigint[])", push_ids)


async def count_pushes(connection: Connection) -> int:
    """How many wait. In `db.jobs`."""
    count: int = await connection.fetchval("SELECT count(*) FROM ending_pushes")
    return count
