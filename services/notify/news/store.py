"""The plan: which deliveries the facts of events make. In `db.school`, in a transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chassis import sight
from chassis.db import Connection
from chassis.events import Event
from services.notify.news.rules import Fact

_INSERT_FOR_FAMILIES = f"""
INSERT INTO deliveries (school_id, kind, account_id, student_id, mark_ids, fact_key, event_id, fact_time, next_attempt_time,
                        create_time)
SELECT DISTINCT $1::uuid, $2::smallint, r.account_id, told.student_id, told.mark_ids, told.fact_key, told.event_id,
    told.fact_time, $7::timestamptz, $7::timestamptz
FROM (
    SELECT event_id, fact_time, student_id, array_agg(mark_id) AS mark_ids,
           md5(string_agg(mark_id || ' ' || revision, ',' ORDER BY mark_id, revision))::uuid AS fact_key
    FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[], $8::integer[])
        AS m (student_id, mark_id, event_id, fact_time, revision)
    GROUP BY event_id, fact_time, student_id
) AS told
JOIN relations r ON r.school_id = $1 AND {sight.sees_student("told.student_id")}
    AND r.valid_from_time <= told.fact_time AND (r.valid_to_time IS NULL OR r.valid_to_time > $7)
JOIN contact_points c ON c.account_id = r.account_id AND c.kind = 'email'
LEFT JOIN preferences p ON p.school_id = $1 AND p.account_id = r.account_id AND p.student_id = told.student_id
WHERE coalesce(p.is_marks_letter_on, true)
ON CONFLICT DO NOTHING
"""  # noqa: S608 - of constants


async def insert_for_families(
    connection: Connection, school_id: UUID, kind: int, facts: Sequence[tuple[Event, Fact]], now: datetime
) -> int:
    """One delivery for each event and student of `facts` and account that may read, wants it and has an address; returns how
    many. A mark of before the access is news to nobody, however late it is told; and the same marks in the same revisions are
    one fact, whatever events tell it.
    """
    status = await connection.execute(
        _INSERT_FOR_FAMILIES,
        school_id,
        kind,
        [fact.student_id for _, fact in facts],
        [fact.mark_id for _, fact in facts],
        [event.event_id for event, _ in facts],
        [event.fact_time for event, _ in facts],
        now,
        [fact.revision for _, fact in facts],
    )
    return int(status.split()[-1])


async def insert_for_named(
    connection: Connection, school_id: UUID, kind: int, facts: Sequence[tuple[Event, Fact]], now: datetime
) -> int:
    """One delivery for each event to the account or the applicant whom its fact names, and for a document one, however often
    its signature is told; returns how many.
    """
    status = await connection.execute(
        """
        INSERT INTO deliveries (school_id, kind, account_id, applicant_id, student_id, grant_id, document_id, event_id,
                                fact_time, next_attempt_time, create_time)
        SELECT $1, $2, m.*, $10, $10
        FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::timestamptz[]) AS m
        ON CONFLICT DO NOTHING
        """,
        school_id,
        kind,
        [fact.account_id for _, fact in facts],
        [fact.applicant_id for _, fact in facts],
        [fact.student_id for _, fact in facts],
        [fact.grant_id for _, fact in facts],
        [fact.document_id for _, fact in facts],
        [event.event_id for event, _ in facts],
        [event.fact_time for event, _ in facts],
        now,
    )
    return int(status.split()[-1])


async def put_class(connection: Connection, school_id: UUID, delivery_id: UUID, class_id: UUID | None) -> None:
    """Keeps the class whose class teacher may see a decision's delivery."""
    await connection.execute(
        """
        UPDATE deliveries SET class_id = $3 WHERE school_id = $1 AND delivery_id = $2 AND class_id IS DISTINCT FROM $3
        """,
        school_id,
        delivery_id,
        class_id,
    )
