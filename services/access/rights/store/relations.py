"""Relations and the facts they come from. In `db.school`, or as the owner in a seed."""

# ruff: noqa: S608 - the statements are composed of constants of this room and of chassis

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from chassis import sight
from chassis.auth import Caller
from chassis.db import Connection, among
from chassis.relations import Relation
from services.access.rights.rules.relations import AppointmentFact, Bounds, DerivedRelation, GrantFact, TeachingFact
from services.access.rights.rules.standing import Scene, Standing


async def lock_grant_facts(connection: Connection, school_id: UUID, person_ids: Sequence[UUID]) -> list[GrantFact]:
    """Grants of persons, held still until the relations are written: a stale reading would bring an ended access back."""
    rows = await connection.fetch(
        "SELECT grant_id FROM grants WHERE school_id = $1 AND holder_person_id = ANY ($2::uuid[]) ORDER BY grant_id FOR SHARE",
        school_id,
        person_ids,
    )
    return await get_grant_facts(connection, school_id, [row["grant_id"] for row in rows])


async def get_grant_facts(connection: Connection, school_id: UUID, grant_ids: Sequence[UUID]) -> list[GrantFact]:
    """Grants that the caller holds locked, as they now are: a statement after the lock, so that it sees their bounds too."""
    rows = await connection.fetch(
        """
        SELECT g.grant_id AS fact_id, g.account_id, g.role, g.student_id, g.grant_time, g.end_time,
               b.birth_date, b.guardian_from, b.guardian_to, b.enrolled_to
        FROM grants g CROSS JOIN LATERAL grant_bounds($1, g.grant_id) b
        WHERE g.school_id = $1 AND g.grant_id = ANY ($2::uuid[])
        """,
        school_id,
        grant_ids,
    )
    return [_read_grant_fact(row) for row in rows]


async def lock_appointment_facts(connection: Connection, school_id: UUID, person_ids: Sequence[UUID]) -> list[AppointmentFact]:
    """Appointments of those of the persons who have an account, held still."""
    rows = await connection.fetch(
        """
        SELECT f.appointment_id AS fact_id, a.account_id, f.role, f.class_id,
               lower(f.validity) AS from_date, upper(f.validity) AS to_date
        FROM appointments f JOIN account_people a USING (school_id, person_id)
        WHERE f.school_id = $1 AND f.person_id = ANY ($2::uuid[]) FOR SHARE OF f
        """,
        school_id,
        person_ids,
    )
    return [AppointmentFact(**row) for row in rows]


async def lock_teaching_facts(connection: Connection, school_id: UUID, person_ids: Sequence[UUID]) -> list[TeachingFact]:
    """Study groups taught by those of the persons who have an account, held still."""
    rows = await connection.fetch(
        """
        SELECT f.teaching_id AS fact_id, a.account_id, f.study_group_id,
               lower(f.validity) AS from_date, upper(f.validity) AS to_date
        FROM study_group_teachers f JOIN account_people a USING (school_id, person_id)
        WHERE f.school_id = $1 AND f.person_id = ANY ($2::uuid[]) FOR SHARE OF f
        """,
        school_id,
        person_ids,
    )
    return [TeachingFact(**row) for row in rows]


async def save_relations(connection: Connection, school_id: UUID, relations: Sequence[DerivedRelation]) -> list[Relation]:
    """Writes what differs from the kept rows, raising their version under their lock; returns the rows written."""
    rows = await connection.fetch(
        """
        INSERT INTO relations AS kept (school_id, fact_id, kind, object_id, account_id, role, valid_from_time, valid_to_time)
        SELECT $1, * FROM unnest($2::uuid[], $3::smallint[], $4::uuid[], $5::uuid[], $6::smallint[], $7::timestamptz[],
                                 $8::timestamptz[])
        ON CONFLICT (school_id, fact_id, kind) DO UPDATE
        SET object_id = excluded.object_id, account_id = excluded.account_id, role = excluded.role,
            valid_from_time = excluded.valid_from_time, valid_to_time = excluded.valid_to_time, version = kept.version + 1
        WHERE (kept.object_id, kept.account_id, kept.role, kept.valid_from_time, kept.valid_to_time) IS DISTINCT FROM
              (excluded.object_id, excluded.account_id, excluded.role, excluded.valid_from_time, excluded.valid_to_time)
        RETURNING relation_id, kind, object_id, account_id, role, version, valid_from_time, valid_to_time
        """,
        school_id,
        [r.fact_id for r in relations],
        [r.kind for r in relations],
        [r.object_id for r in relations],
        [r.account_id for r in relations],
        [r.role for r in relations],
        [r.valid_from_time for r in relations],
        [r.valid_to_time for r in relations],
    )
    return [Relation(**row) for row in rows]


async def list_relations(
    connection: Connection, school_id: UUID, ids: Sequence[UUID] | None, after: UUID, limit: int
) -> list[Relation]:
    """Relations after an id, ended ones too; only those of `ids` where given."""
    rows = await connection.fetch(
        f"""
        SELECT relation_id, kind, object_id, account_id, role, version, valid_from_time, valid_to_time
        FROM relations
        WHERE school_id = $1 AND relation_id > $3 AND {among("relation_id", ids)}
        ORDER BY relation_id LIMIT $4
        """,
        school_id,
        ids,
        after,
        limit,
    )
    return [Relation(**row) for row in rows]


async def get_scene(connection: Connection, school_id: UUID, who: Caller, now: datetime) -> Scene:
    """What the caller is in the school now, whether its session still lives, and where the school's days begin."""
    [row] = await connection.fetch(
        f"""
        SELECT EXISTS (SELECT FROM sessions
                       WHERE session_id = $3 AND account_id = $2 AND end_time IS NULL AND expire_time > $4) AS is_session_live,
               array_agg(DISTINCT role) FILTER (WHERE {sight.of_kind(sight.SCHOOL)}) AS school_roles,
               count(*) FILTER (WHERE {sight.of_kind(sight.STUDENT)}) > 0 AS is_family,
               (SELECT time_zone FROM schools WHERE school_id = $1) AS time_zone
        FROM relations r
        WHERE school_id = $1 AND account_id = $2 AND {sight.is_open("$4")}
        """,
        school_id,
        who.account_id,
        who.session_id,
        now,
    )
    standing = Standing(row["is_session_live"], frozenset(row["school_roles"] or ()), row["is_family"])
    return Scene(school_id, standing, now, row["time_zone"])


async def list_roles(connection: Connection, school_id: UUID, account_id: UUID, now: datetime) -> frozenset[int]:
    """Roles of an account in a school now, of whatever relation."""
    rows = await connection.fetch(
        f"""
        SELECT DISTINCT role FROM relations r
        WHERE school_id = $1 AND account_id = $2 AND {sight.is_open("$3")}
        """,
        school_id,
        account_id,
        now,
    )
    return frozenset(row["role"] for row in rows)


def _read_grant_fact(row: asyncpg.Record) -> GrantFact:
    return GrantFact(
        fact_id=row["fact_id"],
        account_id=row["account_id"],
        role=row["role"],
        student_id=row["student_id"],
        grant_time=row["grant_time"],
        end_time=row["end_time"],
        bounds=Bounds(row["birth_date"], row["guardian_from"], row["guardian_to"], row["enrolled_to"]),
    )
