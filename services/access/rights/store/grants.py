"""Grants. In `db.school`."""

# ruff: noqa: S608 - the statements are composed of constants of this room and of chassis/sight.py

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from chassis import sight
from chassis.db import Connection
from services.access.people.rules.names import PersonName
from services.access.people.rules.roles import Role
from services.access.people.store.people import read_name
from services.access.rights.rules.grants import GRANTING, Ending, EndingGrant, Grant, OwnGrant
from services.access.rights.rules.relations import Bounds, find_ending_cause

_GRANT = """
    g.grant_id, g.student_id, s.family_name AS student_family_name, s.given_name AS student_given_name,
    s.patronymic AS student_patronymic, g.holder_person_id, h.family_name AS holder_family_name,
    h.given_name AS holder_given_name, h.patronymic AS holder_patronymic, g.account_id, g.role,
    g.application_number, g.application_date, g.grant_time, g.end_time
"""
# Roles that give and end accesses (Clause R9).
_GRANTING = f"ARRAY[{', '.join(str(role.value) for role in sorted(GRANTING))}]::smallint[]"
# Grants of a page, of whomever an account ($2) acts for as admin or class teacher, or sees as family.
_PAGE = """
    WITH acting AS MATERIALIZED (SELECT class_id FROM acting_roles($1, $2, $3) WHERE role = ANY ({granting})), page AS ({page})
    SELECT {columns}
    FROM page
    JOIN grants g ON g.school_id = $1 AND g.grant_id = page.grant_id
    JOIN people s ON s.school_id = g.school_id AND s.person_id = g.student_id
    JOIN people h ON h.school_id = g.school_id AND h.person_id = g.holder_person_id
    ORDER BY g.grant_id
"""
_SEEN = f"""
    SELECT r.object_id AS student_id FROM relations r
    WHERE r.school_id = $1 AND r.account_id = $2 AND {sight.of_kind(sight.STUDENT)} AND {sight.is_open("$3")}
"""
_SEEN_OF_STUDENT = """
    SELECT g.grant_id FROM grants g
    WHERE g.school_id = $1 AND g.student_id = $6 AND g.grant_id > $4
      AND ((SELECT roles_towards($1, $6, $2, $3)) && {granting} OR $6 IN ({seen}))
    ORDER BY g.grant_id LIMIT $5
"""
_SEEN_OF_ALL = """
    SELECT grant_id FROM (
        (SELECT g.grant_id FROM grants g
         WHERE g.school_id = $1 AND g.grant_id > $4 AND EXISTS (SELECT FROM acting WHERE class_id IS NULL)
         ORDER BY g.grant_id LIMIT $5)
        UNION
        SELECT g.grant_id
        FROM (SELECT l.student_id FROM acting t CROSS JOIN LATERAL students_of_class($1, t.class_id, $3) l
              WHERE t.class_id IS NOT NULL UNION {seen} OFFSET 0) l
        CROSS JOIN LATERAL (
            SELECT g.grant_id FROM grants g WHERE g.school_id = $1 AND g.student_id = l.student_id AND g.grant_id > $4 OFFSET 0
        ) g
    ) q ORDER BY grant_id LIMIT $5
"""
_OF_STUDENT = _PAGE.format(columns=_GRANT, granting=_GRANTING, page=_SEEN_OF_STUDENT.format(seen=_SEEN, granting=_GRANTING))
_OF_ALL = _PAGE.format(columns=_GRANT, granting=_GRANTING, page=_SEEN_OF_ALL.format(seen=_SEEN))
_TO_REVOKE = """
    SELECT {columns}
    FROM grants g
    JOIN people s ON s.school_id = g.school_id AND s.person_id = g.student_id
    JOIN people h ON h.school_id = g.school_id AND h.person_id = g.holder_person_id
    WHERE g.school_id = $1 AND g.grant_id = $4 AND roles_towards($1, g.student_id, $2, $3) && {granting}
    FOR UPDATE OF g
"""
_LOCK_TO_REVOKE = _TO_REVOKE.format(columns=_GRANT, granting=_GRANTING)

_OWN_GRANTS = """
    SELECT {columns}, a.number AS end_number, a.year AS end_year, a.application_id AS end_application_id,
           EXISTS (SELECT FROM applicants m WHERE m.school_id = $1 AND m.grant_id = g.grant_id) AS has_case,
           {is_student} OR EXISTS (
               SELECT FROM standing_guardianships k
               WHERE k.school_id = $1 AND k.student_id = g.student_id AND k.guardian_person_id = g.holder_person_id
                 AND k.validity @> $3::date) AS may_apply_again
    FROM grants g
    JOIN people s ON s.school_id = g.school_id AND s.person_id = g.student_id
    JOIN people h ON h.school_id = g.school_id AND h.person_id = g.holder_person_id
    LEFT JOIN applications a ON a.school_id = g.school_id AND a.application_id = g.end_application_id
    WHERE g.school_id = $1 AND g.grant_id < $5 AND ($4::uuid IS NULL OR g.student_id = $4)
      AND g.holder_person_id = (SELECT person_id FROM account_people WHERE school_id = $1 AND account_id = $2)
    ORDER BY g.grant_id DESC LIMIT $6
"""
_OWN = _OWN_GRANTS.format(columns=_GRANT, is_student=sight.in_role(Role.STUDENT, alias="g"))


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
    if student_id is None:
        rows = await connection.fetch(_OF_ALL, school_id, account_id, now, after, limit)
    else:
        rows = await connection.fetch(_OF_STUDENT, school_id, account_id, now, after, limit, student_id)
    return [_read(row) for row in rows]


async def list_own_grants(
    connection: Connection, school_id: UUID, account_id: UUID, day: date, student_id: UUID | None, before: UUID, limit: int
) -> list[OwnGrant]:
    """Grants before an id that the account's person holds or has held, the newest first; of one student, or of all."""
    rows = await connection.fetch(_OWN, school_id, account_id, day, student_id, before, limit)
    return [
        OwnGrant(
            grant=_read(row),
            has_case=row["has_case"],
            end_number=row["end_number"],
            end_year=row["end_year"],
            end_application_id=row["end_application_id"],
            may_apply_again=row["may_apply_again"],
        )
        for row in rows
    ]


async def lock_grant_to_revoke(
    connection: Connection, school_id: UUID, account_id: UUID, now: datetime, grant_id: UUID
) -> Grant | None:
    """The grant, locked, if the account may end it: as admin any, as class teacher of the own class (Clause R9)."""
    row = await connection.fetchrow(_LOCK_TO_REVOKE, school_id, account_id, now, grant_id)
    return _read(row) if row else None


async def lock_open_grants(
    connection: Connection, school_id: UUID, student_id: UUID, holder_ids: Sequence[UUID] | None = None
) -> dict[UUID, UUID]:
    """The open grants about a student, locked, by the person who holds each: of the holders named, else of all."""
    rows = await connection.fetch(
        """
        SELECT holder_person_id, grant_id FROM grants
        WHERE school_id = $1 AND student_id = $2 AND end_time IS NULL
          AND ($3::uuid[] IS NULL OR holder_person_id = ANY ($3))
        ORDER BY grant_id FOR UPDATE
        """,
        school_id,
        student_id,
        holder_ids,
    )
    return {row["holder_person_id"]: row["grant_id"] for row in rows}


async def list_accounts_ended_by(connection: Connection, school_id: UUID, application_id: UUID) -> list[UUID]:
    """The accounts whose access a statement has ended."""
    rows = await connection.fetch(
        "SELECT account_id FROM grants WHERE school_id = $1 AND end_application_id = $2", school_id, application_id
    )
    return [row["account_id"] for row in rows]


async def list_accounts_of_student(connection: Connection, school_id: UUID, student_id: UUID) -> list[UUID]:
    """The accounts that hold, or have held, an access to a student."""
    rows = await connection.fetch(
        "SELECT DISTINCT account_id FROM grants WHERE school_id = $1 AND student_id = $2", school_id, student_id
    )
    return [row["account_id"] for row in rows]


async def warn_of_endings(
    connection: Connection, school_id: UUID, now: datetime, until: datetime
) -> list[tuple[UUID, UUID, UUID, datetime]]:
    """Grant, student, account and end of accesses that end by themselves before `until`, each once (Clauses R6, R13): the
    holder's account, and the student's, if it has one, where a guardian's access ends and the student stays.
    """
    rows = await connection.fetch(
        f"""
        WITH ending AS (
            SELECT g.grant_id, g.student_id, g.account_id, g.role, r.valid_to_time AS end_time,
                   r.valid_to_time IS NOT DISTINCT FROM b.enrolled_to::timestamp AT TIME ZONE s.time_zone AS is_leaving
            FROM relations r
            JOIN schools s ON s.school_id = r.school_id
            JOIN grants g ON g.school_id = r.school_id AND g.grant_id = r.fact_id
            -- Grant by grant: taken into the join it is asked of the whole school for each grant.
            CROSS JOIN LATERAL (SELECT enrolled_to FROM grant_bounds($1, g.grant_id) OFFSET 0) b
            WHERE r.school_id = $1 AND {sight.of_kind(sight.STUDENT)} AND g.end_time IS NULL
              AND r.valid_to_time > $2 AND r.valid_to_time <= $3
              AND NOT EXISTS (SELECT FROM ending_warnings w WHERE w.school_id = $1 AND w.grant_id = g.grant_id
                                AND w.account_id = g.account_id AND w.end_time = r.valid_to_time)
        ), told AS (
            INSERT INTO ending_warnings (school_id, grant_id, account_id, end_time, create_time)
            SELECT $1, grant_id, account_id, end_time, $2 FROM ending
            UNION
            SELECT $1, e.grant_id, o.account_id, e.end_time, $2
            FROM ending e
            JOIN account_people o ON o.school_id = $1 AND o.person_id = e.student_id
            WHERE {sight.in_role(Role.GUARDIAN, alias="e")} AND NOT e.is_leaving
            -- In one order, so that two replicas wait for each other and do not lock each other out.
            ORDER BY 2, 3, 4
            ON CONFLICT DO NOTHING RETURNING grant_id, account_id, end_time
        )
        SELECT t.grant_id, e.student_id, t.account_id, t.end_time FROM told t JOIN ending e USING (grant_id)
        """,
        school_id,
        now,
        until,
    )
    return [(row["grant_id"], row["student_id"], row["account_id"], row["end_time"]) for row in rows]


async def find_ending(
    connection: Connection, school_id: UUID, grant_id: UUID, now: datetime, until: datetime
) -> EndingGrant | None:
    """A grant whose access ends by itself before `until`."""
    row = await connection.fetchrow(
        f"""
        SELECT r.valid_to_time AS end_time, s.time_zone, s.name AS school_name,
               c.family_name AS student_family_name, c.given_name AS student_given_name, c.patronymic AS student_patronymic,
               g.account_id, h.family_name, h.given_name, h.patronymic, g.role,
               b.birth_date, b.guardian_from, b.guardian_to, b.enrolled_to
        FROM grants g
        JOIN schools s ON s.school_id = g.school_id
        JOIN relations r ON r.school_id = g.school_id AND r.fact_id = g.grant_id AND {sight.of_kind(sight.STUDENT)}
        JOIN people c ON c.school_id = g.school_id AND c.person_id = g.student_id
        JOIN people h ON h.school_id = g.school_id AND h.person_id = g.holder_person_id
        CROSS JOIN LATERAL grant_bounds($1, g.grant_id) b
        WHERE g.school_id = $1 AND g.grant_id = $2 AND g.end_time IS NULL AND r.valid_to_time > $3 AND r.valid_to_time <= $4
        """,
        school_id,
        grant_id,
        now,
        until,
    )
    if row is None:
        return None
    bounds = Bounds(row["birth_date"], row["guardian_from"], row["guardian_to"], row["enrolled_to"])
    return EndingGrant(
        cause=find_ending_cause(bounds),
        end_time=row["end_time"],
        time_zone=row["time_zone"],
        student_name=PersonName(row["student_family_name"], row["student_given_name"], row["student_patronymic"]),
        school_name=row["school_name"],
        account_id=row["account_id"],
        holder_name=read_name(row),
        is_student=row["role"] == Role.STUDENT,
    )


async def close_lapsed(connection: Connection, school_id: UUID, student_id: UUID, now: datetime) -> None:
    """Notes the end of grants about a student whose relation has ended by itself (Clauses R6, R13)."""
    await connection.execute(
        """
        UPDATE grants g SET end_time = r.valid_to_time, end_ground = 'lapsed'
        FROM relations r
        WHERE g.school_id = $1 AND g.student_id = $2 AND g.end_time IS NULL
          AND r.school_id = $1 AND r.fact_id = g.grant_id AND r.valid_to_time <= $3
        """,
        school_id,
        student_id,
        now,
    )


async def end_grants(
    connection: Connection, school_id: UUID, grant_ids: Sequence[UUID], end_time: datetime, ending: Ending
) -> None:
    """Ends grants by the hand of a staff account."""
    await connection.execute(
        """
        UPDATE grants SET end_time = $3, end_ground = $4, ended_by_account_id = $5, end_application_id = $6
        WHERE school_id = $1 AND grant_id = ANY ($2::uuid[])
        """,
        school_id,
        grant_ids,
        end_time,
        ending.ground,
        ending.account_id,
        ending.application_id,
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


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A grant to be written; `guardianship_id` is None for the student's own."""

    student_id: UUID
    account_id: UUID
    holder_id: UUID
    role: int
    guardianship_id: UUID | None
    application_number: str
    application_date: date
    granted_by_account_id: UUID
    granted_by_role: int
    grant_time: datetime


async def find_open_grant(connection: Connection, school_id: UUID, student_id: UUID, account_id: UUID) -> UUID | None:
    """The open grant of a student to an account, held still."""
    grant_id: UUID | None = await connection.fetchval(
        """
        SELECT grant_id FROM grants WHERE school_id = $1 AND student_id = $2 AND account_id = $3 AND end_time IS NULL FOR SHARE
        """,
        school_id,
        student_id,
        account_id,
    )
    return grant_id


async def insert_grant(connection: Connection, school_id: UUID, grant: NewGrant) -> UUID:
    """A new grant; its relation is derived by actions/relations.py."""
    grant_id: UUID = await connection.fetchval(
        """
        INSERT INTO grants (school_id, student_id, account_id, holder_person_id, role, guardianship_id, application_number,
                            application_date, granted_by_account_id, granted_by_role, grant_time)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING grant_id
        """,
        school_id,
        grant.student_id,
        grant.account_id,
        grant.holder_id,
        grant.role,
        grant.guardianship_id,
        grant.application_number,
        grant.application_date,
        grant.granted_by_account_id,
        grant.granted_by_role,
        grant.grant_time,
    )
    return grant_id
