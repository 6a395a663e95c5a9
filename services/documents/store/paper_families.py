"""The families informed on paper: the projection of access's roster, and whom a week owes a printout. All in `db.school`."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from chassis.db import Connection
from services.documents.rules.paper_families import Roster, StudentPlace
from services.documents.rules.print_runs import CLAUSE


async def put_roster(connection: Connection, school_id: UUID, roster: Roster) -> None:
    """Writes what has a higher version than the kept one."""
    for zone in roster.zones:
        await connection.execute(
            """
            INSERT INTO schools AS kept (school_id, time_zone, version) VALUES ($1, $2, $3)
            ON CONFLICT (school_id) DO UPDATE SET time_zone = $2, version = $3 WHERE kept.version < $3
            """,
            school_id,
            zone.time_zone,
            zone.version,
        )
    rows = await connection.fetch(
        """
        INSERT INTO students AS kept (school_id, student_id, class_id, version)
        SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::bigint[])
        ON CONFLICT (school_id, student_id) DO UPDATE SET class_id = excluded.class_id, version = excluded.version
        WHERE kept.version < excluded.version
        RETURNING student_id
        """,
        school_id,
        [place.student_id for place in roster.places],
        [place.class_id for place in roster.places],
        [place.version for place in roster.places],
    )
    written = {row["student_id"] for row in rows}
    await _put_placements(connection, school_id, [place for place in roster.places if place.student_id in written])
    await connection.execute(
        """
        INSERT INTO paper_modes AS kept (school_id, declaration_id, student_id, number, declines_printouts, revoke_time,
                                         version)
        SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::boolean[], $6::timestamptz[], $7::bigint[])
        ON CONFLICT (school_id, declaration_id) DO UPDATE
        SET number = excluded.number, declines_printouts = excluded.declines_printouts, revoke_time = excluded.revoke_time,
            version = excluded.version
        WHERE kept.version < excluded.version
        """,
        school_id,
        [mode.declaration_id for mode in roster.modes],
        [mode.student_id for mode in roster.modes],
        [mode.number for mode in roster.modes],
        [mode.declines_printouts for mode in roster.modes],
        [mode.revoked for mode in roster.modes],
        [mode.version for mode in roster.modes],
    )


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


async def list_numbers(connection: Connection, school_id: UUID, student_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Of the students with a family on paper the numbers of its declarations, the oldest first (Clause R8)."""
    rows = await connection.fetch(
        """
        SELECT student_id, array_agg(number ORDER BY declaration_id) AS numbers FROM paper_modes
        WHERE school_id = $1 AND student_id = ANY ($2) AND revoke_time IS NULL AND NOT declines_printouts
        GROUP BY student_id
        """,
        school_id,
        student_ids,
    )
    return {row["student_id"]: row["numbers"] for row in rows}


async def find_paper_zone(connection: Connection, school_id: UUID, class_id: UUID, monday: date) -> str | None:
    """The zone of a class whose week is informed of on paper; None for one whose week is not.

    By declarations where the class has any, be they ended; a class without is one that was printed for before. What is found is
    held until the transaction ends, so that a declaration that ends meanwhile sees the term that this opens.
    """
    zone: str | None = await connection.fetchval(
        """
        WITH begun AS MATERIALIZED (
            SELECT time_zone, $3::date::timestamp AT TIME ZONE time_zone AS begin FROM schools WHERE school_id = $1
        ), modes AS (
            SELECT p.student_id, p.revoke_time, p.record_time, p.declines_printouts
            FROM placements l JOIN paper_modes p ON p.school_id = $1 AND p.student_id = l.student_id
            WHERE l.school_id = $1 AND l.class_id = $2 AND l.is_named AND l.from_time <= (SELECT begin FROM begun)
              AND (l.to_time IS NULL OR l.to_time > (SELECT begin FROM begun)) FOR SHARE
        )
        SELECT CASE WHEN EXISTS (SELECT FROM modes) THEN (
            SELECT time_zone FROM begun WHERE EXISTS (
                SELECT FROM modes WHERE NOT declines_printouts GROUP BY student_id
                HAVING bool_or(revoke_time IS NULL)
                   AND bool_or(record_time < begin AND (revoke_time IS NULL OR revoke_time >= begin))
            )
        ) ELSE (
            SELECT time_zone FROM print_runs WHERE school_id = $1 AND class_id = $2 ORDER BY print_run_id DESC LIMIT 1
        ) END
        """,
        school_id,
        class_id,
        monday,
    )
    return zone


async def insert_owed(connection: Connection, school_id: UUID, class_id: UUID, monday: date, begin: datetime) -> None:
    """Notes whom a week that begins at `begin` owes a printout: who has been on paper since before, and is now."""
    await connection.execute(
        """
        WITH modes AS (
            SELECT p.student_id, p.revoke_time, p.record_time
            FROM placements l JOIN paper_modes p ON p.school_id = $1 AND p.student_id = l.student_id
            WHERE l.school_id = $1 AND l.class_id = $2 AND l.is_named AND NOT p.declines_printouts AND l.from_time <= $4
              AND (l.to_time IS NULL OR l.to_time > $4) FOR SHARE
        )
        INSERT INTO owed_printouts (school_id, class_id, monday_date, student_id)
        SELECT $1, $2, $3, student_id FROM modes GROUP BY student_id
        HAVING bool_or(revoke_time IS NULL) AND bool_or(record_time < $4 AND (revoke_time IS NULL OR revoke_time >= $4))
        """,
        school_id,
        class_id,
        monday,
        begin,
    )


async def list_owed(connection: Connection, school_id: UUID, class_id: UUID, monday: date, due: datetime) -> list[UUID]:
    """Whom a week owes a printout still: those of the class on paper until the week's end."""
    rows = await connection.fetch(
        """
        SELECT o.student_id FROM owed_printouts o
        WHERE o.school_id = $1 AND o.class_id = $2 AND o.monday_date = $3 AND EXISTS (
            SELECT FROM placements l WHERE l.school_id = $1 AND l.student_id = o.student_id AND l.class_id = $2 AND l.is_named
              AND l.from_time < $4 AND (l.to_time IS NULL OR l.to_time >= $4)
        ) AND EXISTS (
            SELECT FROM paper_modes p WHERE p.school_id = $1 AND p.student_id = o.student_id AND NOT p.declines_printouts
              AND (p.revoke_time IS NULL OR p.revoke_time >= $4)
        )
        """,
        school_id,
        class_id,
        monday,
        due,
    )
    return [row["student_id"] for row in rows]


async def list_open_weeks(
    connection: Connection, school_id: UUID, student_ids: Sequence[UUID], now: datetime
) -> list[tuple[UUID, date]]:
    """Class and Monday of the weeks that are not over, not met, and owed one of these students a printout."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT class_id, monday_date
        FROM owed_printouts o JOIN deadlines d USING (school_id, class_id, monday_date)
        WHERE o.school_id = $1 AND o.student_id = ANY ($2) AND d.clause = $3 AND d.met_time IS NULL AND d.due_time > $4
        ORDER BY monday_date, class_id
        """,
        school_id,
        student_ids,
        CLAUSE,
        now,
    )
    return [(row["class_id"], row["monday_date"]) for row in rows]
