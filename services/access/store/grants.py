"""Grants. In `db.school`."""

from datetime import datetime
from uuid import UUID

import asyncpg

from chassis.db import Connection
from services.access.rules.grants import Grant
from services.access.rules.names import PersonName


async def list_grants(
    connection: Connection,
    school_id: UUID,
    account_id: UUID,
    now: datetime,
    student_id: UUID | None,
    after: UUID,
    limit: int,
) -> list[Grant]:
    """Grants after an id that the account may see: all as admin, of the own class as its class teacher, of the own students
    as family.
    """
    rows = await connection.fetch(
        """
        SELECT g.grant_id, g.student_id, s.family_name AS student_family_name, s.given_name AS student_given_name,
               s.patronymic AS student_patronymic, g.holder_person_id, h.family_name AS holder_family_name,
               h.given_name AS holder_given_name, h.patronymic AS holder_patronymic, g.account_id, g.role,
               g.application_number, g.application_date, g.grant_time, g.end_time
        FROM grants g
        JOIN people s ON s.school_id = g.school_id AND s.person_id = g.student_id
        JOIN people h ON h.school_id = g.school_id AND h.person_id = g.holder_person_id
        WHERE g.school_id = $1 AND g.grant_id > $5 AND ($4::uuid IS NULL OR g.student_id = $4) AND EXISTS (
            SELECT FROM relations r
            WHERE r.school_id = $1 AND r.account_id = $2
              AND r.valid_from_time <= $3 AND (r.valid_to_time IS NULL OR r.valid_to_time > $3)
              AND (r.kind = 6 AND r.role = 10
                   OR r.kind = 3 AND r.object_id = g.student_id
                   OR r.kind = 4 AND r.role = 6 AND r.object_id = (
                       SELECT l.class_id FROM placements l JOIN schools c USING (school_id)
                       WHERE l.school_id = $1 AND l.student_id = g.student_id
                         AND l.validity @> ($3::timestamptz AT TIME ZONE c.time_zone)::date))
        )
        ORDER BY g.grant_id LIMIT $6
        """,
        school_id,
        account_id,
        now,
        student_id,
        after,
        limit,
    )
    return [_read(row) for row in rows]


async def lock_grant_to_revoke(
    connection: Connection, school_id: UUID, account_id: UUID, now: datetime, grant_id: UUID
) -> Grant | None:
    """The grant, locked, if the account may end it: as admin any, as class teacher of the own class (Clause R9)."""
    row = await connection.fetchrow(
        """
        SELECT g.grant_id, g.student_id, s.family_name AS student_family_name, s.given_name AS student_given_name,
               s.patronymic AS student_patronymic, g.holder_person_id, h.family_name AS holder_family_name,
               h.given_name AS holder_given_name, h.patronymic AS holder_patronymic, g.account_id, g.role,
               g.application_number, g.application_date, g.grant_time, g.end_time
        FROM grants g
        JOIN people s ON s.school_id = g.school_id AND s.person_id = g.student_id
        JOIN people h ON h.school_id = g.school_id AND h.person_id = g.holder_person_id
        WHERE g.school_id = $1 AND g.grant_id = $4 AND EXISTS (
            SELECT FROM relations r
            WHERE r.school_id = $1 AND r.account_id = $2
              AND r.valid_from_time <= $3 AND (r.valid_to_time IS NULL OR r.valid_to_time > $3)
              AND (r.kind = 6 AND r.role = 10
                   OR r.kind = 4 AND r.role = 6 AND r.object_id = (
                       SELECT l.class_id FROM placements l JOIN schools c USING (school_id)
                       WHERE l.school_id = $1 AND l.student_id = g.student_id
                         AND l.validity @> ($3::timestamptz AT TIME ZONE c.time_zone)::date))
        )
        FOR UPDATE OF g
        """,
        school_id,
        account_id,
        now,
        grant_id,
    )
    return _read(row) if row else None


async def end_grant(connection: Connection, school_id: UUID, grant: Grant, account_id: UUID) -> None:
    """Ends a grant at its `end_time` by the hand of a staff account."""
    await connection.execute(
        """
        UPDATE grants SET end_time = $3, end_ground = 'revoked', ended_by_account_id = $4
        WHERE school_id = $1 AND grant_id = $2
        """,
        school_id,
        grant.grant_id,
        grant.end_time,
        account_id,
    )


def _read(row: asyncpg.Record) -> Grant:
    student, holder = (
        PersonName(row[f"{who}_family_name"], row[f"{who}_given_name"], row[f"{who}_patronymic"])
        for who in ("student", "holder")
    )
    return Grant(
        grant_id=row["grant_id"],
        student_id=row["student_id"],
        student_name=student,
        holder_person_id=row["holder_person_id"],
        holder_name=holder,
        account_id=row["account_id"],
        role=row["role"],
        application_number=row["application_number"],
        application_date=row["application_date"],
        grant_time=row["grant_time"],
        end_time=row["end_time"],
    )
