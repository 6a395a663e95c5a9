"""Versions of a school's regulation (Clause R1). In `db.school`."""

from datetime import date
from uuid import UUID

from chassis.db import Connection
from services.access.people.rules.regulations import Regulation


async def find_regulation_id(connection: Connection, school_id: UUID, day: date) -> UUID | None:
    """The version in force on a day (Clause R1)."""
    regulation_id: UUID | None = await connection.fetchval(
        """
        SELECT regulation_id FROM regulation_versions
        WHERE school_id = $1 AND valid_from <= $2 ORDER BY valid_from DESC LIMIT 1
        """,
        school_id,
        day,
    )
    return regulation_id


async def insert_regulation(connection: Connection, school_id: UUID, regulation: Regulation) -> bool:
    """A version; false when there is one for the same day."""
    status = await connection.execute(
        """
        INSERT INTO regulation_versions (school_id, title, order_number, order_date, valid_from) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING
        """,
        school_id,
        regulation.title,
        regulation.order_number,
        regulation.order_date,
        regulation.valid_from,
    )
    return status.endswith(" 1")


async def find_adopted(connection: Connection, school_id: UUID, day: date) -> Regulation | None:
    """The version in force on a day, by the school's own order (Clause R1)."""
    row = await connection.fetchrow(
        """
        SELECT title, order_number, order_date, valid_from FROM regulation_versions
        WHERE school_id = $1 AND valid_from <= $2 AND order_number IS NOT NULL ORDER BY valid_from DESC LIMIT 1
        """,
        school_id,
        day,
    )
    return Regulation(**row) if row else None
