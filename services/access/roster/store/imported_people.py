"""Writes the people and students of an imported roster. As the owner, in the importer's transaction."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from chassis.db import Connection
from services.access.roster.rules.rosters import ImportedPerson
from services.access.roster.store.imported import Saved, list_saved


async def save_people(
    connection: Connection, school_id: UUID, ids: Sequence[UUID], people: Sequence[ImportedPerson], sort_keys: Sequence[str]
) -> Saved:
    """People; a birth date or gender that the bundle lacks is kept."""
    rows = await connection.fetch(
        """
        INSERT INTO people AS kept (school_id, person_id, family_name, given_name, patronymic, sort_key, birth_date, gender)
        SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::date[], $8::text[])
        ON CONFLICT (school_id, person_id) DO UPDATE
        SET family_name = excluded.family_name, given_name = excluded.given_name, patronymic = excluded.patronymic,
            sort_key = excluded.sort_key, birth_date = coalesce(excluded.birth_date, kept.birth_date),
            gender = coalesce(excluded.gender, kept.gender), version = kept.version + 1
        WHERE (kept.family_name, kept.given_name, kept.patronymic, kept.birth_date, kept.gender) IS DISTINCT FROM
              (excluded.family_name, excluded.given_name, excluded.patronymic,
               coalesce(excluded.birth_date, kept.birth_date), coalesce(excluded.gender, kept.gender))
        RETURNING person_id AS id, xmax = 0 AS is_new
        """,
        school_id,
        ids,
        [person.name.family_name for person in people],
        [person.name.given_name for person in people],
        [person.name.patronymic for person in people],
        sort_keys,
        [person.birth_date for person in people],
        [person.gender for person in people],
    )
    return list_saved(rows)


async def save_students(
    connection: Connection, school_id: UUID, ids: Sequence[UUID], first_days: Sequence[date], is_stated: Sequence[bool]
) -> Saved:
    """Students, enrolled where they never were. Who has left stays out, unless the list states a first day after that: who is
    enrolled again has come again (Clause R10).
    """
    rows = await connection.fetch(
        """
        INSERT INTO students (school_id, student_id) SELECT $1, id FROM unnest($2::uuid[]) AS id
        ON CONFLICT DO NOTHING RETURNING student_id AS id, true AS is_new
        """,
        school_id,
        ids,
    )
    await connection.execute(
        """
        INSERT INTO enrolments (school_id, student_id, validity)
        SELECT $1, id, daterange(first_day, NULL)
        FROM unnest($2::uuid[], $3::date[], $4::boolean[]) AS given (id, first_day, is_stated)
        WHERE NOT EXISTS (SELECT FROM enrolments e
                          WHERE e.school_id = $1 AND e.student_id = id
                            AND (NOT is_stated OR e.validity && daterange(first_day, NULL)))
        """,
        school_id,
        ids,
        first_days,
        is_stated,
    )
    return list_saved(rows)


async def list_students(connection: Connection, school_id: UUID, ids: Sequence[UUID]) -> list[UUID]:
    """Who of the people are students, by id."""
    rows = await connection.fetch(
        "SELECT student_id FROM students WHERE school_id = $1 AND student_id = ANY ($2::uuid[]) ORDER BY student_id",
        school_id,
        ids,
    )
    return [row["student_id"] for row in rows]


async def save_order(connection: Connection, school_id: UUID, ids: Sequence[UUID], number: str, day: date) -> Saved:
    """The school's order for the enrolments in force of students that have none (Clause R10)."""
    rows = await connection.fetch(
        """
        UPDATE enrolments SET order_number = $3, order_date = $4
        WHERE school_id = $1 AND student_id = ANY ($2::uuid[]) AND order_number IS NULL AND upper(validity) IS NULL
        RETURNING student_id AS id, true AS is_new
        """,
        school_id,
        ids,
        number,
        day,
    )
    return list_saved(rows)


async def count_without_order(connection: Connection, school_id: UUID, ids: Sequence[UUID]) -> int:
    """How many of the students are enrolled without an order."""
    count: int = await connection.fetchval(
        """
        SELECT count(*) FROM enrolments
        WHERE school_id = $1 AND student_id = ANY ($2::uuid[]) AND order_number IS NULL AND upper(validity) IS NULL
        """,
        school_id,
        ids,
    )
    return count


async def list_enrolled(
    connection: Connection, school_id: UUID, ids: Sequence[UUID]
) -> dict[UUID, list[tuple[date, date | None]]]:
    """First day, and the day after the last, of each enrolment of students."""
    rows = await connection.fetch(
        """
        SELECT student_id, lower(validity) AS first_day, upper(validity) AS end_day FROM enrolments
        WHERE school_id = $1 AND student_id = ANY ($2::uuid[]) ORDER BY validity
        """,
        school_id,
        ids,
    )
    found: dict[UUID, list[tuple[date, date | None]]] = {}
    for row in rows:
        found.setdefault(row["student_id"], []).append((row["first_day"], row["end_day"]))
    return found
