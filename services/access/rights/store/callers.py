"""The diaries that GetCaller shows of one school. In `db.school`."""

# ruff: noqa: S608 - the statements are composed of constants of this room and of chassis/sight.py

from datetime import datetime
from uuid import UUID

from chassis import sight
from chassis.db import Connection
from services.access.people.store.people import read_name
from services.access.rights.rules.callers import OpenStudent


async def list_open_students(connection: Connection, school_id: UUID, account_id: UUID, now: datetime) -> list[OpenStudent]:
    """Students whose diaries the account may open now as family, by name, with the class of today in the school's zone."""
    rows = await connection.fetch(
        f"""
        SELECT r.object_id AS student_id, p.family_name, p.given_name, p.patronymic, coalesce(c.name, '') AS class_name, r.role
        FROM relations r
        JOIN schools s ON s.school_id = r.school_id
        JOIN people p ON p.school_id = r.school_id AND p.person_id = r.object_id
        LEFT JOIN placements l ON l.school_id = r.school_id AND l.student_id = r.object_id
            AND l.validity @> ($3::timestamptz AT TIME ZONE s.time_zone)::date
        LEFT JOIN classes c ON c.school_id = l.school_id AND c.class_id = l.class_id
        WHERE r.school_id = $1 AND r.account_id = $2 AND {sight.of_kind(sight.STUDENT)} AND {sight.is_open("$3")}
        ORDER BY p.sort_key, r.object_id
        """,
        school_id,
        account_id,
        now,
    )
    return [
        OpenStudent(
            row["student_id"],
            read_name(row),
            row["class_name"],
            row["role"],
        )
        for row in rows
    ]
