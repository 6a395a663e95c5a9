"""All deadlines of a school: access's own, those it knows of other services, and accesses that end by themselves."""

from datetime import datetime
from uuid import UUID

from chassis import sight
from chassis.db import Connection
from services.access.oversight.rules import ENDS, ListedDeadline

# Walks along an index each, after a key ($2, $3), that meet in a page ($4). The bound by time alone is for the index: behind
# the wall an expression is no condition of it.
_KEPT = """
    (SELECT clause, subject_id::text AS subject_id, start_time, due_time, met_time, evidence AS evidence_id,
            (subject_id::text || ' ' || clause) COLLATE "C" AS key, CASE WHEN clause = 'R15' THEN subject_id END AS applicant_id
     FROM deadlines
     WHERE school_id = $1 AND due_time >= $2 AND (due_time, (subject_id::text || ' ' || clause) COLLATE "C") > ($2, $3)
       AND {filter}
     ORDER BY due_time, key LIMIT $4)
    UNION ALL
    (SELECT clause, subject_id, start_time, due_time, met_time, evidence_id, (subject_id || ' ' || clause) COLLATE "C" AS key,
            NULL::uuid
     FROM known_deadlines
     WHERE school_id = $1 AND due_time >= $2 AND (due_time, (subject_id || ' ' || clause) COLLATE "C") > ($2, $3)
       AND NOT is_void AND {filter}
     ORDER BY due_time, key LIMIT $4)
"""
# Accesses that end from now ($5) until a time ($6): their clause is asked of those that the walk comes to, grant by grant.
_ENDING = """
    (SELECT clause, r.fact_id::text AS subject_id, r.grant_time AS start_time, r.valid_to_time AS due_time,
            NULL::timestamptz AS met_time, '' AS evidence_id, (r.fact_id || ' ' || clause) COLLATE "C" AS key,
            NULL::uuid AS applicant_id
     FROM (
         SELECT r.fact_id, r.valid_to_time, g.grant_time,
                CASE WHEN r.valid_to_time = b.enrolled_to::timestamp AT TIME ZONE s.time_zone THEN 'R13' ELSE 'R6' END AS clause
         FROM relations r
         JOIN schools s USING (school_id)
         JOIN grants g ON g.school_id = r.school_id AND g.grant_id = r.fact_id
         CROSS JOIN LATERAL (SELECT enrolled_to FROM grant_bounds($1, g.grant_id) OFFSET 0) b
         WHERE r.school_id = $1 AND {of_student} AND g.end_time IS NULL AND r.valid_to_time > $5 AND r.valid_to_time <= $6
           AND r.valid_to_time >= $2 AND (r.valid_to_time, r.fact_id::text COLLATE "C") >= ($2, split_part($3, ' ', 1))
         ORDER BY r.valid_to_time, r.fact_id::text COLLATE "C"
     ) r
     WHERE (r.valid_to_time, (r.fact_id || ' ' || clause) COLLATE "C") > ($2, $3) AND {filter} LIMIT $4)
"""
_OF_STUDENT = sight.of_kind(sight.STUDENT)
# The case of an applicant is asked of those that the page shows.
_PAGE = """
    SELECT q.clause, q.subject_id, q.start_time, q.due_time, q.met_time, q.evidence_id, m.application_id
    FROM (SELECT * FROM ({walks}) w ORDER BY due_time, key LIMIT $4) q
    LEFT JOIN applicants m ON m.school_id = $1 AND m.applicant_id = q.applicant_id
    ORDER BY q.due_time, q.key
"""
_OPEN = {False: "true", True: "met_time IS NULL"}
_ALL = {
    is_open_only: _PAGE.format(
        walks=f"{_KEPT.format(filter=state)} UNION ALL {_ENDING.format(filter='true', of_student=_OF_STUDENT)}"
    )
    for is_open_only, state in _OPEN.items()
}
_OF_CLAUSE = {
    is_open_only: _PAGE.format(walks=_KEPT.format(filter=f"clause = $5 AND {state}")) for is_open_only, state in _OPEN.items()
}
_ENDS_OF_CLAUSE = _PAGE.format(walks=_ENDING.format(filter="clause = $7", of_student=_OF_STUDENT))


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
    """By due time, then subject and clause, after a key; of accesses those that end from now to `ends_until`. `clause` empty:
    all. In `db.school`.
    """
    asked = (school_id, *after, limit)
    if not clause:
        rows = await connection.fetch(_ALL[is_open_only], *asked, now, ends_until)
    elif clause in ENDS:
        rows = await connection.fetch(_ENDS_OF_CLAUSE, *asked, now, ends_until, clause)
    else:
        rows = await connection.fetch(_OF_CLAUSE[is_open_only], *asked, clause)
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


async def count_open_deadlines(connection: Connection, now: datetime) -> list[tuple[str, int, int]]:
    """By clause over all schools: how many are not met, and how many of these are past due. In `db.jobs`."""
    rows = await connection.fetch(
        """
        SELECT clause, count(*) AS open, count(*) FILTER (WHERE due_time < $1) AS overdue
        FROM (SELECT clause, due_time, met_time FROM deadlines
              UNION ALL SELECT clause, due_time, met_time FROM known_deadlines WHERE NOT is_void) q
        WHERE met_time IS NULL GROUP BY clause
        """,
        now,
    )
    return [(row["clause"], row["open"], row["overdue"]) for row in rows]
