"""Writes the years, classes and study groups of an imported roster. As the owner, in the importer's transaction."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from chassis.db import Connection
from services.access.roster.rules.rosters import ImportedClass, ImportedGroup, ImportedYear
from services.access.roster.store.imported import Saved, Time, list_saved, save_times
from services.access.roster.store.imported_ids import Matched


async def save_year(connection: Connection, school_id: UUID, year_id: UUID, year: ImportedYear, today: date) -> Saved:
    """The school year; the current one is that of today."""
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
            UPDATE schools SET version = version + 1, current_year_id = current_year($1, $2) WHERE school_id = $1
            """,
            school_id,
            today,
        )
    return list_saved(rows)


async def find_clash(connection: Connection, school_id: UUID, times: Sequence[Time]) -> tuple[UUID, str] | None:
    """A student, and the class kept for the student on days for which another one is given; None where there is none."""
    row = await connection.fetchrow(
        """
        SELECT kept.student_id, c.name
        FROM unnest($2::uuid[], $3::uuid[], $4::date[], $5::date[]) AS given (class_id, student_id, first_day, end_day)
        JOIN placements kept ON kept.school_id = $1 AND kept.student_id = given.student_id
            AND kept.class_id <> given.class_id AND kept.validity && daterange(first_day, end_day)
        JOIN classes c ON c.school_id = $1 AND c.class_id = kept.class_id
        -- What the same list moves out of the way does not clash.
        WHERE NOT EXISTS (
            SELECT
            FROM unnest($2::uuid[], $3::uuid[], $4::date[], $5::date[]) AS moved (class_id, student_id, first_day, end_day)
            WHERE moved.class_id = kept.class_id AND moved.student_id = kept.student_id
              AND kept.validity && daterange(moved.first_day, moved.end_day))
        LIMIT 1
        """,
        school_id,
        [time.of_id for time in times],
        [time.person_id for time in times],
        [time.first_day for time in times],
        [time.end_day for time in times],
    )
    return (row["student_id"], row["name"]) if row else None


async def save_classes(
    connection: Connection, school_id: UUID, year_id: UUID, matched: Sequence[Matched], classes: Sequence[ImportedClass]
) -> Saved:
    """Homerooms of a year."""
    rows = await connection.fetch(
        """
        INSERT INTO classes AS kept (school_id, year_id, class_id, name, grades, previous_class_id)
        SELECT $1, $2, id, name, string_to_array(grades, ',')::smallint[], previous
        FROM unnest($3::uuid[], $4::text[], $5::text[], $6::uuid[]) AS given (id, name, grades, previous)
        ON CONFLICT (school_id, class_id) DO UPDATE
        SET name = excluded.name, grades = excluded.grades, version = kept.version + 1
        WHERE (kept.name, kept.grades) IS DISTINCT FROM (excluded.name, excluded.grades)
        RETURNING class_id AS id, xmax = 0 AS is_new
        """,
        school_id,
        year_id,
        [one.entry_id for one in matched],
        [of_class.name for of_class in classes],
        [",".join(map(str, of_class.grades)) for of_class in classes],
        [one.previous_id for one in matched],
    )
    return list_saved(rows)


async def list_taken_names(
    connection: Connection, school_id: UUID, year_id: UUID, ids: Sequence[UUID], names: Sequence[str]
) -> list[str]:
    """Those of the names that other classes of the year have."""
    rows = await connection.fetch(
        """
        SELECT name FROM classes
        WHERE school_id = $1 AND year_id = $2 AND name = ANY ($4) AND class_id <> ALL ($3::uuid[]) ORDER BY grades, name
        """,
        school_id,
        year_id,
        ids,
        names,
    )
    return [row["name"] for row in rows]


async def save_groups(
    connection: Connection,
    school_id: UUID,
    year_id: UUID,
    ids: Sequence[UUID],
    groups: Sequence[ImportedGroup],
    classes: Mapping[str, UUID],
) -> Saved:
    """Study groups of a year; `classes` are our ids of the bundle's."""
    rows = await connection.fetch(
        """
        INSERT INTO study_groups AS kept (school_id, year_id, study_group_id, class_id, subject_name, group_name, is_marked,
                                          validity)
        SELECT $1, $2, id, class_id, subject, name, is_marked, daterange(first_day, end_day)
        FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::boolean[], $8::date[], $9::date[])
             AS given (id, class_id, subject, name, is_marked, first_day, end_day)
        ON CONFLICT (school_id, study_group_id) DO UPDATE
        SET class_id = excluded.class_id, subject_name = excluded.subject_name, group_name = excluded.group_name,
            is_marked = excluded.is_marked, validity = excluded.validity, version = kept.version + 1
        WHERE (kept.class_id, kept.subject_name, kept.group_name, kept.is_marked, kept.validity) IS DISTINCT FROM
              (excluded.class_id, excluded.subject_name, excluded.group_name, excluded.is_marked, excluded.validity)
        RETURNING study_group_id AS id, xmax = 0 AS is_new
        """,
        school_id,
        year_id,
        ids,
        [classes[group.class_id] if group.class_id else None for group in groups],
        [group.subject_name for group in groups],
        [group.group_name for group in groups],
        [group.is_marked for group in groups],
        [group.first_day for group in groups],
        [group.end_day for group in groups],
    )
    return list_saved(rows)


async def save_members(connection: Connection, school_id: UUID, times: Sequence[Time]) -> Saved:
    """Times of students in study groups; the ids returned are of the groups."""
    return await save_times(connection, school_id, times, "study_group_members", "study_group_id", "student_id")


async def save_placements(connection: Connection, school_id: UUID, times: Sequence[Time]) -> Saved:
    """Times of students in classes; the ids returned are of the students."""
    return await save_times(connection, school_id, times, "placements", "class_id", "student_id", "student_id")
