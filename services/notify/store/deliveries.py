"""Deliveries as they are made of events and listed for people."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chassis.auth import Caller
from chassis.db import Connection
from chassis.events import Event
from services.notify.rules import Delivery, Kind, State


async def insert_credentials(
    connection: Connection, school_id: UUID, account_id: UUID, grant_id: UUID, event: Event, now: datetime
) -> None:
    """One delivery of first credentials."""
    await connection.execute(
        """
        INSERT INTO deliveries (school_id, kind, account_id, grant_id, event_id, fact_time, next_attempt_time, create_time)
        VALUES ($1, 1, $2, $3, $4, $5, $6, $6) ON CONFLICT ON CONSTRAINT deliveries_once_an_event DO NOTHING
        """,
        school_id,
        account_id,
        grant_id,
        event.event_id,
        event.fact_time,
        now,
    )


async def insert_marks(
    connection: Connection, school_id: UUID, marks: Sequence[tuple[Event, UUID, UUID, int]], now: datetime
) -> int:
    """One delivery for each event and student of `marks` (event, student, mark, revision) and account that may read, wants it
    and has an address; returns how many. A mark of before the access is news to nobody, however late it is told; and the same
    marks in the same revisions are one fact, whatever events tell it.
    """
    status = await connection.execute(
        """
        INSERT INTO deliveries (school_id, kind, account_id, student_id, mark_ids, fact_key, event_id, fact_time,
                                next_attempt_time, create_time)
        SELECT DISTINCT $1::uuid, 2, r.account_id, told.student_id, told.mark_ids, told.fact_key, told.event_id, told.fact_time,
            $6::timestamptz, $6::timestamptz
        FROM (
            SELECT event_id, fact_time, student_id, array_agg(mark_id) AS mark_ids,
                   md5(string_agg(mark_id || ' ' || revision, ',' ORDER BY mark_id, revision))::uuid AS fact_key
            FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $7::integer[])
                AS m (student_id, mark_id, event_id, fact_time, revision)
            GROUP BY event_id, fact_time, student_id
        ) AS told
        JOIN relations r ON r.school_id = $1 AND r.object_id = told.student_id AND r.kind = 3 AND r.role IN (3, 4)
            AND r.valid_from_time <= told.fact_time AND (r.valid_to_time IS NULL OR r.valid_to_time > $6)
        JOIN contact_points c ON c.account_id = r.account_id AND c.kind = 'email'
        LEFT JOIN preferences p ON p.school_id = $1 AND p.account_id = r.account_id AND p.student_id = told.student_id
        WHERE coalesce(p.is_marks_letter_on, true)
        ON CONFLICT DO NOTHING
        """,
        school_id,
        [student_id for _, student_id, _, _ in marks],
        [mark_id for _, _, mark_id, _ in marks],
        [event.event_id for event, _, _, _ in marks],
        [event.fact_time for event, _, _, _ in marks],
        now,
        [revision for _, _, _, revision in marks],
    )
    return int(status.split()[-1])


async def insert_decision(
    connection: Connection, school_id: UUID, applicant_id: UUID, document_id: UUID, event: Event, now: datetime
) -> None:
    """One delivery of a signed decision, however often its signature is told."""
    await connection.execute(
        """
        INSERT INTO deliveries (school_id, kind, applicant_id, document_id, event_id, fact_time, next_attempt_time, create_time)
        VALUES ($1, 3, $2, $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING
        """,
        school_id,
        applicant_id,
        document_id,
        event.event_id,
        event.fact_time,
        now,
    )


async def insert_access_ends(
    connection: Connection, school_id: UUID, account_id: UUID, student_id: UUID, grant_id: UUID, event: Event, now: datetime
) -> None:
    """One delivery of the warning that an access ends."""
    await connection.execute(
        """
        INSERT INTO deliveries (school_id, kind, account_id, student_id, grant_id, event_id, fact_time, next_attempt_time,
                                create_time)
        VALUES ($1, 4, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT ON CONSTRAINT deliveries_once_an_event DO NOTHING
        """,
        school_id,
        account_id,
        student_id,
        grant_id,
        event.event_id,
        event.fact_time,
        now,
    )


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


async def list_deliveries(
    connection: Connection, school_id: UUID, who: Caller, now: datetime, before: UUID, limit: int
) -> list[Delivery] | None:
    """Deliveries that the caller may see, newest first; None when the caller has no open relation in the school.

    An admin (role 10) sees the school's, a class teacher (6) those about students of the own class, the first credentials of
    their families and the decisions of the own class, everyone the own ones.
    """
    rows = await connection.fetch(
        """
        WITH mine AS MATERIALIZED (
            SELECT kind, role, object_id FROM relations
            WHERE school_id = $1 AND account_id = $2 AND valid_from_time <= $4 AND (valid_to_time IS NULL OR valid_to_time > $4)
                AND NOT EXISTS (SELECT FROM ended_sessions e WHERE e.session_id = $3)
        ), taught AS MATERIALIZED (
            SELECT p.student_id FROM mine m JOIN placements p ON p.school_id = $1 AND p.class_id = m.object_id
            WHERE m.kind = 4 AND m.role = 6 AND p.is_named AND p.from_time <= $4 AND (p.to_time IS NULL OR p.to_time > $4)
        ), families AS MATERIALIZED (
            SELECT DISTINCT r.account_id FROM taught t
            JOIN relations r ON r.school_id = $1 AND r.object_id = t.student_id AND r.kind = 3 AND r.role IN (3, 4)
        ), listed AS (
            -- Each way to see one is a walk along an index; they meet in the page.
            (SELECT d.delivery_id FROM deliveries d
             WHERE d.school_id = $1 AND d.delivery_id < $5 AND EXISTS (SELECT FROM mine WHERE kind = 6 AND role = 10)
             ORDER BY d.delivery_id DESC LIMIT $6)
            UNION
            (SELECT d.delivery_id FROM deliveries d
             WHERE d.school_id = $1 AND d.account_id = $2 AND d.delivery_id < $5 AND EXISTS (SELECT FROM mine)
             ORDER BY d.delivery_id DESC LIMIT $6)
            UNION
            SELECT d.delivery_id FROM taught t CROSS JOIN LATERAL (
                SELECT d.delivery_id FROM deliveries d
                WHERE d.school_id = $1 AND d.student_id = t.student_id AND d.delivery_id < $5
                ORDER BY d.delivery_id DESC LIMIT $6) d
            UNION
            SELECT d.delivery_id FROM mine m CROSS JOIN LATERAL (
                SELECT d.delivery_id FROM deliveries d
                WHERE d.school_id = $1 AND d.class_id = m.object_id AND d.delivery_id < $5
                ORDER BY d.delivery_id DESC LIMIT $6) d
            WHERE m.kind = 4 AND m.role = 6
            UNION
            SELECT d.delivery_id FROM families f CROSS JOIN LATERAL (
                SELECT d.delivery_id FROM deliveries d
                WHERE d.school_id = $1 AND d.account_id = f.account_id AND d.student_id IS NULL AND d.delivery_id < $5
                ORDER BY d.delivery_id DESC LIMIT $6) d
        ), page AS (
            SELECT d.delivery_id, d.kind, d.account_id, d.student_id, d.state, d.attempt_count, d.provider_answer,
                d.create_time, d.send_time
            FROM (SELECT delivery_id FROM listed ORDER BY delivery_id DESC LIMIT $6) l
            JOIN deliveries d ON d.school_id = $1 AND d.delivery_id = l.delivery_id
        )
        SELECT page.* FROM (SELECT FROM mine LIMIT 1) AS known LEFT JOIN page ON true ORDER BY page.delivery_id DESC
        """,
        school_id,
        who.account_id,
        who.session_id,
        now,
        before,
        limit,
    )
    if not rows:
        return None
    return [
        Delivery(
            row["delivery_id"],
            Kind(row["kind"]),
            row["account_id"],
            row["student_id"],
            State(row["state"]),
            row["attempt_count"],
            row["provider_answer"],
            row["create_time"],
            row["send_time"],
        )
        for row in rows
        if row["delivery_id"] is not None
    ]
