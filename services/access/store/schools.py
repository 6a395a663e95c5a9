"""Schools and their years."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from chassis.db import Connection


@dataclass(frozen=True, slots=True)
class School:
    """A school as anyone may see it."""

    school_id: UUID
    code: str
    name: str
    full_name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class RosterSchool:
    """A school with its current year; `year_end_date` is the last day. Dates are None before the first year is set."""

    school: School
    version: int
    mark_min: int
    year_start_date: date | None
    year_end_date: date | None


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


async def get_time_zone(connection: Connection, school_id: UUID) -> str:
    """The school's IANA zone."""
    zone: str = await connection.fetchval("SELECT time_zone FROM schools WHERE school_id = $1", school_id)
    return zone


async def find_roster_school(connection: Connection, school_id: UUID) -> RosterSchool | None:
    """The school with its current year. In `db.school`."""
    row = await connection.fetchrow(
        """
        SELECT s.school_id, s.code, s.name, s.full_name, s.time_zone, s.version, s.mark_min,
               lower(y.validity) AS year_start_date, upper(y.validity) - 1 AS year_end_date
        FROM schools s LEFT JOIN school_years y ON (y.school_id, y.year_id) = (s.school_id, s.current_year_id)
        WHERE s.school_id = $1
        """,
        school_id,
    )
    if row is None:
        return None
    return RosterSchool(
        School(row["school_id"], row["code"], row["name"], row["full_name"], row["time_zone"]),
        row["version"],
        row["mark_min"],
        row["year_start_date"],
        row["year_end_date"],
    )
