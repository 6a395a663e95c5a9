"""Writes an imported roster. As the owner, in the importer's transaction.

Each `save_` writes only what differs and returns the ids written, created and changed apart, so that a repeat returns none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from chassis.db import Connection
from services.access.rules.rosters import ImportedClass, ImportedGroup, ImportedPerson, ImportedYear


@dataclass(frozen=True, slots=True)
class Saved:
    """Ids of what was written; the rest of what was given stood so already."""

    created: list[UUID]
    changed: list[UUID]

    @property
    def written(self) -> list[UUID]:
        """Both."""
        return self.created + self.changed


@dataclass(frozen=True, slots=True)
class Time:
    """A person's time in something; `end_day` is the day after the last."""

    of_id: UUID
    person_id: UUID
    first_day: date
    end_day: date


async def lock_school(connection: Connection, code: str) -> UUID | None:
    """The school of a code, locked until the import is over."""
    school_id: UUID | None = await connection.fetchval("SELECT school_id FROM schools WHERE code = $1 FOR UPDATE", code)
    return school_id


async def insert_school(connection: Connection, code: str, name: str, time_zone: str) -> UUID:
    """A new school."""
    school_id: UUID = await connection.fetchval(
        "INSERT INTO schools (code, name, full_name, time_zone) VALUES ($1, $2, $2, $3) RETURNING school_id",
        code,
        name,
        time_zone,
    )
    return school_id


async def match_external_ids(
    connection: Connection, school_id: UUID, kind: str, external_ids: Sequence[str]
) -> dict[str, UUID]:
    """Our ids of external ones; those seen for the first time get new ids."""
    await connection.execute(
        """
        INSERT INTO external_ids (school_id, kind, external_id, entry_id)
        SELECT $1, $2, external_id, uuidv7() FROM unnest($3::text[]) AS external_id
        ON CONFLICT (school_id, kind, external_id) DO NOTHING
        """,
        school_id,
        kind,
        external_ids,
    )
    rows = await connection.fetch(
        "SELECT external_id, entry_id FROM external_ids WHERE school_id = $1 AND kind = $2", school_id, kind
    )
    return {row["external_id"]: row["entry_id"] for row in rows}


async def list_external_ids(connection: Connection, school_id: UUID, kind: str) -> list[str]:
    """All external ids of a kind."""
    rows = await connection.fetch("SELECT external_id FROM external_ids WHERE school_id = $1 AND kind = $2", school_id, kind)
    return [row["external_id"] for row in rows]


async def insert_external_id(connection: Connection, school_id: UUID, kind: str, external_id: str, entry_id: UUID) -> None:
    """Notes under which id another system knows an entry."""
    await connection.execute(
        "INSERT INTO external_ids (school_id, kind, external_id, entry_id) VALUES ($1, $2, $3, $4)",
        school_id,
        kind,
        external_id,
        entry_id,
    )


async def save_year(connection: Connection, school_id: UUID, year_id: UUID, year: ImportedYear) -> Saved:
    """The school year, made the current one when it is the latest."""
    rows = await connection.fetch(
        """
        INSERT INTO school_years AS kept (school_id, year_id, name, validity) VALUES ($1, $2, $3, daterange($4, $5))
        ON CONFLICT (school_id, year_id) DO UPDATE SET name = excluded.name, validity = excluded.validity
        WHERE (kept.name, kept.validity) IS DISTINCT FROM (excluded.name, excluded.validity)
        RETURNING year_id AS id, xmax = 0 AS is_new
        """,
        school_id,
        year_id,
        year.name,
        year.first_day,
        year.end_day,
    )
    if rows:
        await connection.execute(
            """
            UPDATE schools SET version = version + 1, current_year_id = (
                SELECT year_id FROM school_years WHERE school_id = $1 ORDER BY validity DESC LIMIT 1
            ) WHERE school_id = $1
            """,
            school_id,
        )
    return _saved(rows)


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
    return _saved(rows)


async def save_students(
    connection: Connection, school_id: UUID, ids: Sequence[UUID], first_days: Sequence[date], order: str
) -> Saved:
    """Students with an enrolment in force, where they have none that reaches into it."""
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
        INSERT INTO enrolments (school_id, student_id, order_number, order_date, validity)
        SELECT $1, id, $4, first_day, daterange(first_day, NULL) FROM unnest($2::uuid[], $3::date[]) AS given (id, first_day)
        WHERE NOT EXISTS (SELECT FROM enrolments e
                          WHERE e.school_id = $1 AND e.student_id = id AND e.validity && daterange(first_day, NULL))
        """,
        school_id,
        ids,
        first_days,
        order,
    )
    return _saved(rows)


async def save_classes(
    connection: Connection, school_id: UUID, year_id: UUID, ids: Sequence[UUID], classes: Sequence[ImportedClass]
) -> Saved:
    """Homerooms of a year."""
    rows = await connection.fetch(
        """
        INSERT INTO classes AS kept (school_id, year_id, class_id, name, grades)
        SELECT $1, $2, id, name, string_to_array(grades, ',')::smallint[]
        FROM unnest($3::uuid[], $4::text[], $5::text[]) AS given (id, name, grades)
        ON CONFLICT (school_id, class_id) DO UPDATE
        SET name = excluded.name, grades = excluded.grades, version = kept.version + 1
        WHERE (kept.name, kept.grades) IS DISTINCT FROM (excluded.name, excluded.grades)
        RETURNING class_id AS id, xmax = 0 AS is_new
        """,
        school_id,
        year_id,
        ids,
        [of_class.name for of_class in classes],
        [",".join(map(str, of_class.grades)) for of_class in classes],
    )
    return _saved(rows)


async def save_groups(
    connection: Connection, school_id: UUID, year_id: UUID, ids: Sequence[UUID], groups: Sequence[ImportedGroup]
) -> Saved:
    """Study groups of a year."""
    rows = await connection.fetch(
        """
        INSERT INTO study_groups AS kept (school_id, year_id, study_group_id, subject_name, group_name, validity)
        SELECT $1, $2, id, subject, name, daterange(first_day, end_day)
        FROM unnest($3::uuid[], $4::text[], $5::text[], $6::date[], $7::date[])
             AS given (id, subject, name, first_day, end_day)
        ON CONFLICT (school_id, study_group_id) DO UPDATE
        SET subject_name = excluded.subject_name, group_name = excluded.group_name, validity = excluded.validity,
            version = kept.version + 1
        WHERE (kept.subject_name, kept.group_name, kept.validity) IS DISTINCT FROM
              (excluded.subject_name, excluded.group_name, excluded.validity)
        RETURNING study_group_id AS id, xmax = 0 AS is_new
        """,
        school_id,
        year_id,
        ids,
        [group.subject_name for group in groups],
        [group.group_name for group in groups],
        [group.first_day for group in groups],
        [group.end_day for group in groups],
    )
    return _saved(rows)


async def save_members(connection: Connection, school_id: UUID, times: Sequence[Time]) -> Saved:
    """Times of students in study groups; the ids returned are of the groups."""
    return await _save_times(connection, school_id, times, "study_group_members", "study_group_id", "student_id")


async def save_teachings(connection: Connection, school_id: UUID, times: Sequence[Time]) -> Saved:
    """Times of teachers in study groups; the ids returned are of the groups."""
    return await _save_times(connection, school_id, times, "study_group_teachers", "study_group_id", "person_id")


async def save_placements(connection: Connection, school_id: UUID, times: Sequence[Time]) -> Saved:
    """Times of students in classes; the ids returned are of the students."""
    return await _save_times(connection, school_id, times, "placements", "class_id", "student_id", "student_id")


async def save_appointments(
    connection: Connection, school_id: UUID, role: int, times: Sequence[Time], of_class: bool, order: str
) -> Saved:
    """Appointments in a role, to the class of `of_id` where it is one of a class; the ids returned are of the people."""
    rows = await connection.fetch(
        """
        INSERT INTO appointments (school_id, person_id, role, class_id, order_number, order_date, validity)
        SELECT $1, person_id, $2, class_id, $7, first_day, daterange(first_day, end_day)
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
        order,
    )
    return _saved(rows)


async def raise_versions(connection: Connection, school_id: UUID, students: Sequence[UUID], groups: Sequence[UUID]) -> None:
    """So that projections take the entries anew."""
    await connection.execute(
        "UPDATE students SET version = version + 1 WHERE school_id = $1 AND student_id = ANY ($2::uuid[])",
        school_id,
        students,
    )
    await connection.execute(
        "UPDATE study_groups SET version = version + 1 WHERE school_id = $1 AND study_group_id = ANY ($2::uuid[])",
        school_id,
        groups,
    )


# A time that overlaps a kept one of the same two is that one, moved; what is not there yet is new.
_MOVE_TIMES = """
    UPDATE {table} AS kept SET validity = given.validity
    FROM (SELECT of_id, who, daterange(first_day, end_day) AS validity
          FROM unnest($2::uuid[], $3::uuid[], $4::date[], $5::date[]) AS t (of_id, who, first_day, end_day)) AS given
    WHERE kept.school_id = $1 AND kept.{of} = given.of_id AND kept.{who} = given.who
      AND kept.validity && given.validity AND kept.validity <> given.validity
    RETURNING kept.{answer} AS id, false AS is_new
"""
_ADD_TIMES = """
    INSERT INTO {table} (school_id, {of}, {who}, validity)
    SELECT $1, of_id, who, daterange(first_day, end_day)
    FROM unnest($2::uuid[], $3::uuid[], $4::date[], $5::date[]) AS given (of_id, who, first_day, end_day)
    WHERE NOT EXISTS (
        SELECT FROM {table} AS kept
        WHERE kept.school_id = $1 AND kept.{of} = of_id AND kept.{who} = who
          AND kept.validity && daterange(first_day, end_day))
    RETURNING {answer} AS id, true AS is_new
"""


async def _save_times(
    connection: Connection, school_id: UUID, times: Sequence[Time], table: str, of: str, who: str, answer: str = ""
) -> Saved:
    rows: list[asyncpg.Record] = []
    for statement in (_MOVE_TIMES, _ADD_TIMES):
        rows += await connection.fetch(
            statement.format(table=table, of=of, who=who, answer=answer or of),
            school_id,
            [time.of_id for time in times],
            [time.person_id for time in times],
            [time.first_day for time in times],
            [time.end_day for time in times],
        )
    return _saved(rows)


def _saved(rows: Sequence[asyncpg.Record]) -> Saved:
    return Saved([row["id"] for row in rows if row["is_new"]], [row["id"] for row in rows if not row["is_new"]])
