"""Schools and their years."""

from uuid import UUID

from chassis.db import Connection
from chassis.errors import NotFound
from services.access.rules.roster import RosterSchool, School


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
