"""Writes an imported roster. As the owner, in the importer's transaction.

Each `save_` writes only what differs and returns the ids written, created and changed apart, so that a repeat returns none.
"""

# ruff: noqa: S608 - the statements are composed of constants of this room

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from chassis.db import Connection
from services.access.roster.rules.rosters import ImportedClass, ImportedGroup, ImportedPerson, ImportedYear


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
    school_id: UUID | None = await connection.fetchval(
        "SELECT school_id FROM schools WHERE lower(code) = lower($1) ORDER BY code LIMIT 1 FOR UPDATE", code
    )
    return school_id


async def find_code_of(connection: Connection, external_id: str) -> str | None:
    """The code under which the school of an external id is known; None for one that no import brought."""
    code: str | None = await connection.fetchval(
        """
        SELECT s.code FROM external_ids x JOIN schools s USING (school_id)
        WHERE x.kind = 'school' AND x.external_id = $1 ORDER BY s.code LIMIT 1
        """,
        external_id,
    )
    return code


async def get_zone(connection: Connection, school_id: UUID) -> str:
    """The zone of a school."""
    zone: str = await connection.fetchval("SELECT time_zone FROM schools WHERE school_id = $1", school_id)
    return zone


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


async def match_year(connection: Connection, school_id: UUID, year: ImportedYear) -> list[UUID]:
    """The kept years that share a day with it; a new one gets its id here."""
    rows = await connection.fetch(
        "SELECT year_id FROM school_years WHERE school_id = $1 AND validity && daterange($2, $3)",
        school_id,
        year.first_day,
        year.end_day,
    )
    if rows:
        return [row["year_id"] for row in rows]
    # Some systems give every year the same id: its dates tell which it is.
    external_id = f"{year.external_id} {year.first_day.year}"
    return [(await match_external_ids(connection, school_id, "year", [external_id]))[external_id]]


@dataclass(frozen=True, slots=True)
class Matched:
    """Our id of an entry of a year, and that of the same external id in the year before."""

    entry_id: UUID
    previous_id: UUID | None


async def match_of_year(
    connection: Connection, school_id: UUID, kind: str, year_id: UUID, external_ids: Sequence[str]
) -> dict[str, Matched]:
    """Our ids of classes or study groups. Systems keep an id from year to year; here a class is of one year (Clause R13)."""
    table = {"class": "classes", "study_group": "study_groups"}[kind]
    years = await connection.fetch("SELECT year_id FROM school_years WHERE school_id = $1 ORDER BY validity", school_id)
    keys = {external_id: [external_id, *(f"{external_id} {row['year_id']}" for row in years)] for external_id in external_ids}
    rows = await connection.fetch(
        f"""
        SELECT x.external_id, x.entry_id, t.year_id,
               lower(y.validity) < (
                   SELECT lower(validity) FROM school_years WHERE school_id = $1 AND year_id = $5) AS is_earlier,
               lower(y.validity) AS first_day
        FROM external_ids x
        LEFT JOIN {table} t ON t.school_id = $1 AND t.{kind}_id = x.entry_id
        LEFT JOIN school_years y ON y.school_id = $1 AND y.year_id = t.year_id
        WHERE x.school_id = $1 AND x.kind = $2 AND (x.external_id = ANY ($3) OR x.external_id = ANY ($4))
        """,
        school_id,
        kind,
        external_ids,
        [key for of_one in keys.values() for key in of_one[1:]],
        year_id,
    )
    known = {row["external_id"]: row for row in rows}
    chosen: dict[str, str] = {}
    previous: dict[str, UUID | None] = {}
    for external_id, of_one in keys.items():
        found = [known[key] for key in of_one if key in known]
        own = [row["external_id"] for row in found if row["year_id"] in (year_id, None)]
        chosen[external_id] = own[0] if own else (f"{external_id} {year_id}" if found else external_id)
        earlier = [row for row in found if row["is_earlier"]]
        previous[external_id] = max(earlier, key=lambda row: row["first_day"])["entry_id"] if earlier else None
    ids = await match_external_ids(connection, school_id, kind, list(chosen.values()))
    return {external_id: Matched(ids[key], previous[external_id]) for external_id, key in chosen.items()}


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
    return _saved(rows)


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
    return _saved(rows)


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
    return _saved(rows)


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
    return _saved([*moved, *rows])


# An end is the day before today, so that it holds at once; what began today, or will, is told as having ended before it began.
_ENDED = "daterange(least(lower(kept.validity), $2::date - 1), $2::date)"


async def end_replaced_posts(connection: Connection, school_id: UUID, today: date, named: Sequence[Time]) -> list[UUID]:
    """Ends the class teachers of the classes for which a list names others (Clause R9); returns the people. Whom an order of
    the school appointed stays: an order is ended by people.
    """
    rows = await connection.fetch(
        f"""
        UPDATE appointments AS kept SET validity = {_ENDED}
        WHERE kept.school_id = $1 AND kept.role = 6 AND kept.class_id = ANY ($3::uuid[]) AND kept.order_number IS NULL
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
        """
        SELECT c.name, kept.order_number
        FROM appointments kept JOIN classes c ON c.school_id = $1 AND c.class_id = kept.class_id
        WHERE kept.school_id = $1 AND kept.role = 6 AND kept.class_id = ANY ($3::uuid[]) AND kept.order_number IS NOT NULL
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
