"""All deadlines of a school: access's own, those it knows of other services, and accesses that end by themselves."""

from datetime import datetime
from uuid import UUID

from chassis.db import Connection
from services.access.rules.deadlines import ListedDeadline


async def list_deadlines(
    connection: Connection,
    school_id: UUID,
    clause: str,
    is_open_only: bool,
    now: datetime,
    ends_until: datetime,
    after: tuple[datetime, str],
    limit: int,
) -> list[ListedDeadline]:
    """By due time, clause and subject after a key; of accesses those that end from now to `ends_until`. `clause` empty: all.

    In `db.school`.
    """
    rows = await connection.fetch(
        """
        SELECT clause, subject_id, start_time, due_time, met_time, evidence_id FROM (
            SELECT clause, subject_id::text AS subject_id, start_time, due_time, met_time, evidence AS evidence_id
            FROM deadlines WHERE school_id = $1
            UNION ALL
            SELECT clause, subject_id, start_time, due_time, met_time, evidence_id
            FROM known_deadlines WHERE school_id = $1 AND NOT is_void
            UNION ALL
            SELECT CASE WHEN r.valid_to_time = b.enrolled_to::timestamp AT TIME ZONE s.time_zone
                                       THEN 'R13' ELSE 'R6' END, g.grant_id::text, g.grant_time, r.valid_to_time, NULL, ''
            FROM relations r
            JOIN schools s USING (school_id)
            JOIN grants g ON g.school_id = r.school_id AND g.grant_id = r.fact_id
            -- Grant by grant: taken into the join it is asked of the whole school for each grant.
            CROSS JOIN LATERAL (SELECT enrolled_to FROM grant_bounds($1, g.grant_id) OFFSET 0) b
            WHERE r.school_id = $1 AND r.kind = 3 AND g.end_time IS NULL AND r.valid_to_time > $4 AND r.valid_to_time <= $5
        ) q
        WHERE ($2 = '' OR clause = $2) AND (NOT $3 OR met_time IS NULL) AND (due_time, clause || ' ' || subject_id) > ($6, $7)
        ORDER BY due_time, clause || ' ' || subject_id LIMIT $8
        """,
        school_id,
        clause,
        is_open_only,
        now,
        ends_until,
        *after,
        limit,
    )
    return [ListedDeadline(**row) for row in rows]


async def save_known(
    connection: Connection, school_id: UUID, deadline: ListedDeadline, is_void: bool, fact_time: datetime
) -> None:
    """Writes a deadline of another service, or that it never was, unless a later event has told of it. In `db.school`."""
    await connection.execute(
        """
        INSERT INTO known_deadlines AS kept (school_id, clause, subject_id, start_time, due_time, met_time, evidence_id,
                                             is_void, fact_time)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (school_id, clause, subject_id) DO UPDATE
        SET start_time = excluded.start_time, due_time = excluded.due_time, met_time = excluded.met_time,
            evidence_id = excluded.evidence_id, is_void = excluded.is_void, fact_time = excluded.fact_time
        WHERE kept.fact_time <= excluded.fact_time
        """,
        school_id,
        deadline.clause,
        deadline.subject_id,
        deadline.start_time,
        deadline.due_time,
        deadline.met_time,
        deadline.evidence_id,
        is_void,
        fact_time,
    )
