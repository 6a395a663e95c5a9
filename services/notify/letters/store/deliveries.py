"""Deliveries as they are listed for people."""

from datetime import datetime
from uuid import UUID

from chassis import sight
from chassis.auth import Caller
from chassis.db import Connection
from diary.options.v1 import options_pb2
from services.notify.letters.rules import Delivery, State

_VIEWER = sight.Viewer()
_IS_ADMIN = f"{sight.of_kind(sight.SCHOOL, 'm')} AND {sight.in_role(options_pb2.ROLE_ADMIN, alias='m')}"
_IS_CLASS_TEACHER = f"{sight.of_kind(sight.CLASS, 'm')} AND {sight.in_role(options_pb2.ROLE_CLASS_TEACHER, alias='m')}"


async def list_deliveries(
    connection: Connection, school_id: UUID, who: Caller, now: datetime, before: UUID, limit: int
) -> list[Delivery] | None:
    """Deliveries that the caller may see, newest first; None when the caller has no open relation in the school.

    An admin sees the school's, a class teacher those about students of the own class, the first credentials of
    their families and the decisions of the own class, everyone the own ones.
    """
    rows = await connection.fetch(
        f"""
        WITH mine AS MATERIALIZED (
            SELECT r.kind, r.role, r.object_id FROM relations r WHERE {_VIEWER.holds("true")} AND {_VIEWER.lives()}
        ), taught AS MATERIALIZED (
            SELECT p.student_id FROM mine m JOIN placements p ON p.school_id = $1 AND p.class_id = m.object_id
            WHERE {_IS_CLASS_TEACHER} AND p.is_named AND p.from_time <= $4 AND (p.to_time IS NULL OR p.to_time > $4)
        ), families AS MATERIALIZED (
            SELECT DISTINCT r.account_id FROM taught t
            JOIN relations r ON r.school_id = $1 AND {sight.sees_student("t.student_id")}
        ), listed AS (
            -- Each way to see one is a walk along an index; they meet in the page.
            (SELECT d.delivery_id FROM deliveries d
             WHERE d.school_id = $1 AND d.delivery_id < $5 AND EXISTS (SELECT FROM mine m WHERE {_IS_ADMIN})
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
            WHERE {_IS_CLASS_TEACHER}
            UNION
            SELECT d.delivery_id FROM families f CROSS JOIN LATERAL (
                SELECT d.delivery_id FROM deliveries d
                WHERE d.school_id = $1 AND d.account_id = f.account_id AND d.student_id IS NULL AND d.delivery_id < $5
                ORDER BY d.delivery_id DESC LIMIT $6) d
        ), page AS (
            SELECT d.delivery_id, told.kind, d.account_id, d.student_id, d.state, d.attempt_count, d.provider_answer,
                d.create_time, d.send_time
            FROM (SELECT delivery_id FROM listed ORDER BY delivery_id DESC LIMIT $6) l
            JOIN deliveries d ON d.school_id = $1 AND d.delivery_id = l.delivery_id
            CROSS JOIN LATERAL (
                SELECT n.kind FROM delivery_news k JOIN news n ON n.school_id = $1 AND n.news_id = k.news_id
                WHERE k.school_id = $1 AND k.delivery_id = d.delivery_id LIMIT 1) told
        )
        SELECT page.* FROM (SELECT FROM mine LIMIT 1) AS known LEFT JOIN page ON true ORDER BY page.delivery_id DESC
        """,  # noqa: S608 - of constants
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
            row["kind"],
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
