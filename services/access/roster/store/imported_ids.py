"""The school of an imported roster, and our ids of its entries. As the owner, in the importer's transaction."""

# ruff: noqa: S608 - the statements are composed of constants of this room

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.db import Connection
from services.access.roster.rules.rosters import ImportedYear


async def find_school(connection: Connection, code: str) -> UUID | None:
    """The school of a code."""
    school_id: UUID | None = await connection.fetchval(
        "SELECT school_id FROM schools WHERE lower(code) = lower($1) ORDER BY code LIMIT 1", code
    )
    return school_id


async def lock_school(connection: Connection, code: str) -> UUID | None:
    """The school of a code, locked until the import is over; what refers to it may still be written."""
    school_id: UUID | None = await connection.fetchval(
        "SELECT school_id FROM schools WHERE lower(code) = lower($1) ORDER BY code LIMIT 1 FOR NO KEY UPDATE", code
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


async def insert_school(connection: Connection, school_id: UUID, code: str, name: str, time_zone: str) -> None:
    """A new school."""
    await connection.execute(
        "INSERT INTO schools (school_id, code, name, full_name, time_zone) VALUES ($1, $2, $3, $3, $4)",
        school_id,
        code,
        name,
        time_zone,
    )


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


async def find_of_year(
    connection: Connection, school_id: UUID, kind: str, year_id: UUID, external_ids: Collection[str]
) -> dict[str, UUID]:
    """Our ids of those classes or study groups that are kept of the year already."""
    table = {"class": "classes", "study_group": "study_groups"}[kind]
    rows = await connection.fetch(
        f"""
        SELECT given.external_id, x.entry_id
        FROM unnest($4::text[]) AS given (external_id)
        JOIN external_ids x ON x.school_id = $1 AND x.kind = $2
            AND x.external_id IN (given.external_id, given.external_id || ' ' || $3::text)
        JOIN {table} t ON t.school_id = $1 AND t.{kind}_id = x.entry_id AND t.year_id = $3::text::uuid
        """,
        school_id,
        kind,
        str(year_id),
        list(external_ids),
    )
    return {row["external_id"]: row["entry_id"] for row in rows}


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
