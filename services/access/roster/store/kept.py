"""What is kept of a school that a list may change, read whole."""

# ruff: noqa: S608 - the statements are composed of constants of this room

from typing import Any
from uuid import UUID

import asyncpg

from chassis.db import Connection
from services.access.people.rules.names import PersonName
from services.access.roster.rules.lines import KeptClass, KeptGroup, KeptPerson, KeptPost, KeptRoster, KeptTime

_DAYS = "lower(validity) AS first_day, upper(validity) AS end_day"


async def read_roster(connection: Connection, school_id: UUID) -> KeptRoster:
    """The whole of it, in an order that is the same each time."""

    async def fetch(statement: str) -> list[asyncpg.Record]:
        return await connection.fetch(statement, school_id)

    async def times(statement: str) -> list[KeptTime]:
        return [KeptTime(**row) for row in await fetch(statement)]

    async def posts(statement: str) -> list[KeptPost]:
        return [KeptPost(**row) for row in await fetch(statement)]

    school = await connection.fetchrow("SELECT name, time_zone FROM schools WHERE school_id = $1", school_id)
    return KeptRoster(
        school=None if school is None else (school["name"], school["time_zone"]),
        years=[_tuple(row) for row in await fetch(_YEARS)],
        people=[_person(row) for row in await fetch(_PEOPLE)],
        classes=[KeptClass(**row) for row in await fetch(_CLASSES)],
        groups=[KeptGroup(**row) for row in await fetch(_GROUPS)],
        enrolments=await posts(
            "SELECT 0 AS role, NULL::uuid AS class_id, student_id AS person_id, "
            f"{_DAYS}, order_number, order_date FROM enrolments WHERE school_id = $1"
        ),
        placements=await times(
            f"SELECT class_id AS of_id, student_id AS person_id, {_DAYS} FROM placements WHERE school_id = $1"
        ),
        posts=await posts(
            f"SELECT role, class_id, person_id, {_DAYS}, order_number, order_date FROM appointments WHERE school_id = $1"
        ),
        members=await times(
            f"SELECT study_group_id AS of_id, student_id AS person_id, {_DAYS} FROM study_group_members WHERE school_id = $1"
        ),
        teachings=await times(
            f"SELECT study_group_id AS of_id, person_id, {_DAYS} FROM study_group_teachers WHERE school_id = $1"
        ),
    )


_YEARS = "SELECT year_id, name, lower(validity), upper(validity) FROM school_years WHERE school_id = $1 ORDER BY validity"
_PEOPLE = """
    SELECT p.person_id, coalesce(x.external_id, p.person_id::text) AS external_id, p.family_name, p.given_name, p.patronymic,
           p.birth_date, p.gender
    FROM people p
    LEFT JOIN external_ids x ON x.school_id = $1 AND x.kind = 'person' AND x.entry_id = p.person_id
    WHERE p.school_id = $1 ORDER BY p.sort_key, 2
"""
# An id that a system gives in each year stands with ours of the year behind it (imported_ids.match_of_year).
_CLASSES = """
    SELECT c.class_id, coalesce(replace(x.external_id, ' ' || c.year_id, ''), c.class_id::text) AS external_id, c.name,
           y.name AS year_name, c.grades
    FROM classes c JOIN school_years y ON y.school_id = $1 AND y.year_id = c.year_id
    LEFT JOIN external_ids x ON x.school_id = $1 AND x.kind = 'class' AND x.entry_id = c.class_id
    WHERE c.school_id = $1 ORDER BY y.validity, c.grades, c.name
"""
_GROUPS = """
    SELECT g.study_group_id AS group_id,
           coalesce(replace(x.external_id, ' ' || g.year_id, ''), g.study_group_id::text) AS external_id, g.class_id,
           g.subject_name, g.group_name, g.is_marked, lower(g.validity) AS first_day, upper(g.validity) AS end_day
    FROM study_groups g
    LEFT JOIN external_ids x ON x.school_id = $1 AND x.kind = 'study_group' AND x.entry_id = g.study_group_id
    WHERE g.school_id = $1 ORDER BY g.subject_name, 2
"""


def _person(row: asyncpg.Record) -> KeptPerson:
    name = PersonName(row["family_name"], row["given_name"], row["patronymic"])
    return KeptPerson(row["person_id"], row["external_id"], name, row["birth_date"], row["gender"])


def _tuple(row: asyncpg.Record) -> Any:
    return tuple(row)
