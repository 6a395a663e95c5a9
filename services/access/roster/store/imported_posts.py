"""Writes who leads classes and teaches study groups by an imported roster, and ends who no longer does.

As the owner, in the importer's transaction.
"""

# ruff: noqa: S608 - the statements are composed of constants of this room and of chassis/sight.py

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from chassis import sight
from chassis.db import Connection
from services.access.people.rules.roles import Role
from services.access.roster.store.imported import Saved, Time, list_saved, save_times


async def save_teachings(connection: Connection, school_id: UUID, times: Sequence[Time]) -> Saved:
    """Times of teachers in study groups; the ids returned are of the groups."""
    return await save_times(connection, school_id, times, "study_group_teachers", "study_group_id", "person_id")


async def save_appointments(connection: Connection, school_id: UUID, role: int, times: Sequence[Time], of_class: bool) -> Saved:
    """Appointments in a role, to the class of `of_id` where it is one of a class, without an order: a list knows none. The ids
    returned are of the people.
    """
    moved = await connection.fetch(
        """
        UPDATE appointments AS kept SET validity = daterange(lower(kept.validity), end_day)
        FROM unnest($3::uuid[], $4::uuid[], $5::date[], $6::date[]) AS given (person_id, class_id, first_day, end_day)
        WHERE kept.school_id = $1 AND kept.person_id = given.person_id AND kept.role = $2 AND kept.class_id = given.class_id
          AND kept.order_number IS NULL AND kept.validity && daterange(first_day, end_day)
          AND upper(kept.validity) IS DISTINCT FROM end_day
        RETURNING kept.person_id AS id, false AS is_new
        """,
        school_id,
        role,
        [time.person_id for time in times],
        [time.of_id if of_class else None for time in times],
        [time.first_day for time in times],
        [time.end_day if of_class else None for time in times],
    )
    rows = await connection.fetch(
        """
        INSERT INTO appointments (school_id, person_id, role, class_id, validity)
        SELECT $1, person_id, $2, class_id, daterange(first_day, end_day)
        FROM unnest($3::uuid[], $4::uuid[], $5::date[], $6::date[]) AS given (person_id, class_id, first_day, end_day)
        WHERE NOT EXISTS (
            SELECT FROM appointments a
            WHERE a.school_id = $1 AND a.person_id = given.person_id AND a.role = $2
              AND a.class_id IS NOT DISTINCT FROM given.class_id AND a.validity && daterange(first_day, end_day))
        RETURNING person_id AS id, true AS is_new
        """,
        school_id,
        role,
        [time.person_id for time in times],
        [time.of_id if of_class else None for time in times],
        [time.first_day for time in times],
        [time.end_day if of_class else None for time in times],
    )
    return list_saved([*moved, *rows])


# An end is the day before today, so that it holds at once; what began today, or will, is told as having ended before it began.
_ENDED = "daterange(least(lower(kept.validity), $2::date - 1), $2::date)"


async def end_replaced_posts(connection: Connection, school_id: UUID, today: date, named: Sequence[Time]) -> list[UUID]:
    """Ends the class teachers of the classes for which a list names others (Clause R9); returns the people. Whom an order of
    the school appointed stays: an order is ended by people.
    """
    rows = await connection.fetch(
        f"""
        UPDATE appointments AS kept SET validity = {_ENDED}
        WHERE kept.school_id = $1 AND {sight.in_role(Role.CLASS_TEACHER, alias="kept")}
          AND kept.class_id = ANY ($3::uuid[]) AND kept.order_number IS NULL
          AND coalesce(upper(kept.validity), 'infinity') > $2::date
          AND NOT EXISTS (SELECT FROM unnest($3::uuid[], $4::uuid[]) AS given (class_id, person_id)
                          WHERE given.class_id = kept.class_id AND given.person_id = kept.person_id)
        RETURNING kept.person_id
        """,
        school_id,
        today,
        [time.of_id for time in named],
        [time.person_id for time in named],
    )
    return [row["person_id"] for row in rows]


async def list_others_by_order(
    connection: Connection, school_id: UUID, today: date, named: Sequence[Time]
) -> list[tuple[str, str]]:
    """Class and order of those class teachers by order whom a list no longer names."""
    rows = await connection.fetch(
        f"""
        SELECT c.name, kept.order_number
        FROM appointments kept JOIN classes c ON c.school_id = $1 AND c.class_id = kept.class_id
        WHERE kept.school_id = $1 AND {sight.in_role(Role.CLASS_TEACHER, alias="kept")}
          AND kept.class_id = ANY ($3::uuid[]) AND kept.order_number IS NOT NULL
          AND kept.validity @> $2::date
          AND NOT EXISTS (SELECT FROM unnest($3::uuid[], $4::uuid[]) AS given (class_id, person_id)
                          WHERE given.class_id = kept.class_id AND given.person_id = kept.person_id)
        ORDER BY c.name, kept.order_number
        """,
        school_id,
        today,
        [time.of_id for time in named],
        [time.person_id for time in named],
    )
    return [(row["name"], row["order_number"]) for row in rows]


async def end_replaced_teachings(connection: Connection, school_id: UUID, today: date, named: Sequence[Time]) -> list[UUID]:
    """Ends the teachers of the study groups for which a list names others; returns the groups."""
    rows = await connection.fetch(
        f"""
        UPDATE study_group_teachers AS kept SET validity = {_ENDED}
        WHERE kept.school_id = $1 AND kept.study_group_id = ANY ($3::uuid[])
          AND coalesce(upper(kept.validity), 'infinity') > $2::date
          AND NOT EXISTS (SELECT FROM unnest($3::uuid[], $4::uuid[]) AS given (study_group_id, person_id)
                          WHERE given.study_group_id = kept.study_group_id AND given.person_id = kept.person_id)
        RETURNING kept.study_group_id
        """,
        school_id,
        today,
        [time.of_id for time in named],
        [time.person_id for time in named],
    )
    return [row["study_group_id"] for row in rows]


async def end_posts_of(connection: Connection, school_id: UUID, today: date, external_ids: Sequence[str]) -> None:
    """Ends what lists gave to people who are no longer enabled."""
    await connection.execute(
        f"""
        WITH gone AS (
            SELECT entry_id AS person_id FROM external_ids
            WHERE school_id = $1 AND kind = 'person' AND external_id = ANY ($3::text[])
        ), posts AS (
            UPDATE appointments AS kept SET validity = {_ENDED} FROM gone
            WHERE kept.school_id = $1 AND kept.person_id = gone.person_id AND kept.order_number IS NULL
              AND coalesce(upper(kept.validity), 'infinity') > $2::date
        )
        UPDATE study_group_teachers AS kept SET validity = {_ENDED} FROM gone
        WHERE kept.school_id = $1 AND kept.person_id = gone.person_id
          AND coalesce(upper(kept.validity), 'infinity') > $2::date
        """,
        school_id,
        today,
        external_ids,
    )
