"""Addresses of accounts, and what accounts want to hear. Without a choice letters are on for an account with an address."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chassis.auth import Caller
from chassis.db import Connection
from services.notify.letters.rules import Preference, StudentPlace

# Students whose diary the caller may open as student or guardian, in a session that has not been ended.
_MINE = """
    SELECT DISTINCT object_id AS student_id FROM relations
    WHERE school_id = $1 AND account_id = $2 AND kind = 3 AND role IN (3, 4)
        AND valid_from_time <= $4 AND (valid_to_time IS NULL OR valid_to_time > $4)
        AND NOT EXISTS (SELECT FROM ended_sessions e WHERE e.session_id = $3)
"""


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


async def put_students(connection: Connection, school_id: UUID, places: Sequence[StudentPlace]) -> None:
    """Writes the classes of students whose version is higher than the kept one. In a transaction."""
    rows = await connection.fetch(
        """
        INSERT INTO students AS kept (school_id, student_id, class_id, version)
        SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::bigint[])
        ON CONFLICT (school_id, student_id) DO UPDATE SET class_id = excluded.class_id, version = excluded.version
        WHERE kept.version < excluded.version
        RETURNING student_id
        """,
        school_id,
        [place.student_id for place in places],
        [place.class_id for place in places],
        [place.version for place in places],
    )
    written = {row["student_id"] for row in rows}
    await _put_placements(connection, school_id, [place for place in places if place.student_id in written])


async def _put_placements(connection: Connection, school_id: UUID, students: Sequence[StudentPlace]) -> None:
    """The placements of students as the roster now names them; one no longer named stays, unnamed."""
    ids = [student.student_id for student in students]
    await connection.execute(
        "UPDATE placements SET is_named = false WHERE school_id = $1 AND student_id = ANY ($2::uuid[])", school_id, ids
    )
    named = [(student.student_id, placement) for student in students for placement in student.placements]
    await connection.execute(
        """
        INSERT INTO placements (school_id, student_id, class_id, from_time, to_time, is_named)
        SELECT $1, *, true FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[])
        ON CONFLICT (school_id, student_id, from_time) DO UPDATE
        SET class_id = excluded.class_id, to_time = excluded.to_time, is_named = true
        """,
        school_id,
        [student_id for student_id, _ in named],
        [placement.class_id for _, placement in named],
        [placement.from_time for _, placement in named],
        [placement.to_time for _, placement in named],
    )
