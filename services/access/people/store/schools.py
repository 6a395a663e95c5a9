"""Schools and their years."""

from dataclasses import astuple, fields
from datetime import date
from uuid import UUID

from chassis.db import Connection
from chassis.errors import NotFound
from services.access.people.rules.schools import DetailedSchool, RosterSchool, School, SchoolDetails


async def list_schools(connection: Connection, after: str, limit: int) -> list[School]:
    """Schools after a code. In `db.region`."""
    rows = await connection.fetch(
        """
        SELECT school_id, code, name, full_name, time_zone FROM schools WHERE code > $1 ORDER BY code LIMIT $2
        """,
        after,
        limit,
    )
    return [School(**row) for row in rows]


async def get_detailed(connection: Connection, school_id: UUID) -> DetailedSchool:
    """A school with what its papers say. Raises NotFound SCHOOL_NOT_FOUND. In `db.school`."""
    row = await connection.fetchrow(
        """
        SELECT s.school_id, s.code, s.name, s.full_name, s.time_zone, coalesce(d.version, 0) AS version,
               coalesce(d.address, '') AS address, coalesce(d.phone, '') AS phone, coalesce(d.email, '') AS email,
               coalesce(d.site, '') AS site, coalesce(d.locality, '') AS locality,
               coalesce(d.head_position, '') AS head_position, coalesce(d.head_position_dative, '') AS head_position_dative,
               coalesce(d.head_name_dative, '') AS head_name_dative, coalesce(d.founder, '') AS founder,
               coalesce(d.founder_contacts, '') AS founder_contacts
        FROM schools s LEFT JOIN school_details d USING (school_id) WHERE s.school_id = $1
        """,
        school_id,
    )
    if row is None:
        raise NotFound("SCHOOL_NOT_FOUND", "no such school")
    return DetailedSchool(
        School(**{name: row[name] for name in ("school_id", "code", "name", "full_name", "time_zone")}),
        SchoolDetails(**{field.name: row[field.name] for field in fields(SchoolDetails)}),
        row["version"],
    )


async def lock_detailed(connection: Connection, school_id: UUID) -> DetailedSchool:
    """The same, held until the transaction ends, so that of two who saw one etag the second is told. In `db.school`."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('school_details ' || $1::uuid::text, 0))", school_id
    )
    return await get_detailed(connection, school_id)


async def save_details(connection: Connection, school_id: UUID, details: SchoolDetails) -> None:
    """Replaces what the school's papers say. In `db.school`."""
    await connection.execute(
        """
        INSERT INTO school_details AS kept (school_id, address, phone, email, site, locality, head_position,
                                            head_position_dative, head_name_dative, founder, founder_contacts)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (school_id) DO UPDATE
        SET address = excluded.address, phone = excluded.phone, email = excluded.email, site = excluded.site,
            locality = excluded.locality, head_position = excluded.head_position,
            head_position_dative = excluded.head_position_dative, head_name_dative = excluded.head_name_dative,
            founder = excluded.founder, founder_contacts = excluded.founder_contacts, version = kept.version + 1
        """,
        school_id,
        *astuple(details),
    )


async def find_time_zone(connection: Connection, school_id: UUID) -> str | None:
    """The school's IANA zone; None when there is no such school."""
    zone: str | None = await connection.fetchval("SELECT time_zone FROM schools WHERE school_id = $1", school_id)
    return zone


async def get_time_zone(connection: Connection, school_id: UUID) -> str:
    """The zone of a school that is there. Raises NotFound SCHOOL_NOT_FOUND."""
    zone = await find_time_zone(connection, school_id)
    if zone is None:
        raise NotFound("SCHOOL_NOT_FOUND", "no such school")
    return zone


async def find_roster_school(connection: Connection, school_id: UUID, today: date) -> RosterSchool | None:
    """The school with its years and the one that today belongs to. In `db.school`."""
    row = await connection.fetchrow(
        """
        SELECT s.school_id, s.code, s.name, s.full_name, s.time_zone, s.version, s.mark_min,
               lower(y.validity) AS year_start_date, upper(y.validity) - 1 AS year_end_date,
               ARRAY(SELECT ROW(lower(a.validity), upper(a.validity) - 1) FROM school_years a
                     WHERE a.school_id = $1 ORDER BY a.validity) AS years
        FROM schools s LEFT JOIN school_years y ON (y.school_id, y.year_id) = (s.school_id, current_year($1, $2))
        WHERE s.school_id = $1
        """,
        school_id,
        today,
    )
    if row is None:
        return None
    return RosterSchool(
        School(row["school_id"], row["code"], row["name"], row["full_name"], row["time_zone"]),
        row["version"],
        row["mark_min"],
        row["year_start_date"],
        row["year_end_date"],
        [(first, last) for first, last in row["years"]],
    )
