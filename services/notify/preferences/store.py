"""Addresses of accounts, and what accounts want to hear. Without a choice letters are on for an account with an address."""

from datetime import datetime
from uuid import UUID

from chassis import sight
from chassis.auth import Caller
from chassis.db import Connection
from services.notify.preferences.rules import Preference

# Students whose diary the caller may open as student or guardian, in a session that has not been ended.
_VIEWER = sight.Viewer()
_MINE = f"""
    SELECT DISTINCT r.object_id AS student_id FROM relations r
    WHERE {_VIEWER.holds(sight.sees_student("r.object_id"))} AND {_VIEWER.lives()}
"""  # noqa: S608 - of constants


async def find_address(connection: Connection, account_id: UUID) -> str | None:
    """The account's address for letters. In `db.region`."""
    address: str | None = await connection.fetchval(
        "SELECT address FROM contact_points WHERE account_id = $1 AND kind = 'email'", account_id
    )
    return address


async def put_address(connection: Connection, account_id: UUID, address: str, now: datetime) -> None:
    """Keeps the address that an account's application named. In `db.region`."""
    await connection.execute(
        """
        INSERT INTO contact_points AS kept (account_id, kind, address, source, update_time)
        VALUES ($1, 'email', $2, 'application', $3)
        ON CONFLICT (account_id, kind) DO UPDATE SET address = $2, source = 'application', update_time = $3
        WHERE kept.address <> $2
        """,
        account_id,
        address,
        now,
    )


async def list_preferences(connection: Connection, school_id: UUID, who: Caller, now: datetime) -> list[Preference]:
    """One for each student of the caller; on only with an address."""
    rows = await connection.fetch(
        f"""
        SELECT mine.student_id, coalesce(p.is_marks_letter_on, true) AND EXISTS (
            SELECT FROM contact_points c WHERE c.account_id = $2 AND c.kind = 'email'
        ) AS is_on
        FROM ({_MINE}) AS mine
        LEFT JOIN preferences p ON p.school_id = $1 AND p.account_id = $2 AND p.student_id = mine.student_id
        ORDER BY mine.student_id
        """,  # noqa: S608 - a constant of this file
        school_id,
        who.account_id,
        who.session_id,
        now,
    )
    return [Preference(row["student_id"], row["is_on"]) for row in rows]


async def find_standing(
    connection: Connection, school_id: UUID, who: Caller, student_id: UUID, now: datetime
) -> tuple[bool, bool]:
    """Whether the student is one of the caller's, and whether the caller has an address."""
    row = await connection.fetchrow(
        f"""
        SELECT $5 IN (SELECT student_id FROM ({_MINE}) AS mine) AS is_mine,
            EXISTS (SELECT FROM contact_points c WHERE c.account_id = $2 AND c.kind = 'email') AS has_address
        """,  # noqa: S608 - a constant of this file
        school_id,
        who.account_id,
        who.session_id,
        now,
        student_id,
    )
    assert row is not None
    return row["is_mine"], row["has_address"]


async def put_preference(
    connection: Connection, school_id: UUID, account_id: UUID, preference: Preference, now: datetime
) -> None:
    """Keeps a choice."""
    await connection.execute(
        """
        INSERT INTO preferences (school_id, account_id, student_id, is_marks_letter_on, update_time) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (school_id, account_id, student_id) DO UPDATE SET is_marks_letter_on = $4, update_time = $5
        """,
        school_id,
        account_id,
        preference.student_id,
        preference.is_marks_letter_on,
        now,
    )
