"""The families informed on paper: the projection of access's roster, and whom a week owes a printout. In `db.school`."""

# ruff: noqa: S608 - the statements are composed of constants of this room

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from chassis.db import Connection
from chassis.places import put_places
from services.documents.print_runs.rules.paper_families import (
    NOBODY,
    Addressee,
    Declared,
    HeldLesson,
    PaperMode,
    Roster,
    SchoolCode,
)
from services.documents.print_runs.rules.runs import CLAUSE


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
    await put_places(connection, school_id, roster.places)
    await connection.execute(
        """
        INSERT INTO paper_modes AS kept (school_id, declaration_id, student_id, guardian_person_id, number, declines_printouts,
                                         revoke_time, version)
        SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::boolean[], $7::timestamptz[],
                                 $8::bigint[])
        ON CONFLICT (school_id, declaration_id) DO UPDATE
        SET guardian_person_id = excluded.guardian_person_id, number = excluded.number,
            declines_printouts = excluded.declines_printouts, revoke_time = excluded.revoke_time, version = excluded.version
        WHERE kept.version < excluded.version OR kept.version = excluded.version AND kept.guardian_person_id IS NULL
        """,
        school_id,
        [mode.declaration_id for mode in roster.modes],
        [mode.student_id for mode in roster.modes],
        [mode.guardian_id for mode in roster.modes],
        [mode.number for mode in roster.modes],
        [mode.declines_printouts for mode in roster.modes],
        [mode.revoked for mode in roster.modes],
        [mode.version for mode in roster.modes],
    )


async def put_school_codes(connection: Connection, codes: Sequence[SchoolCode]) -> None:
    """What anyone may know of schools by the codes of their papers. In `db.region`."""
    await connection.execute(
        """
        INSERT INTO schools_by_code AS kept (code, school_id, name) SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[])
        ON CONFLICT (code) DO UPDATE SET school_id = excluded.school_id, name = excluded.name
        WHERE (kept.school_id, kept.name) IS DISTINCT FROM (excluded.school_id, excluded.name)
        """,
        [one.code for one in codes],
        [one.school_id for one in codes],
        [one.name for one in codes],
    )


async def list_declarations(connection: Connection, school_id: UUID, student_ids: Sequence[UUID]) -> list[PaperMode]:
    """The declarations that hold and want printouts, the oldest first (Clause R8)."""
    rows = await connection.fetch(
        """
        SELECT declaration_id, student_id, guardian_person_id, number, declines_printouts, revoke_time, version
        FROM paper_modes
        WHERE school_id = $1 AND student_id = ANY ($2) AND revoke_time IS NULL AND NOT declines_printouts
        ORDER BY declaration_id
        """,
        school_id,
        student_ids,
    )
    return [PaperMode(*row) for row in rows]


async def put_lessons(connection: Connection, school_id: UUID, lessons: Sequence[HeldLesson]) -> list[tuple[UUID, date, bool]]:
    """Keeps the newest word on each lesson, and until when the weeks that it changes have lessons.

    Class and Monday of these weeks, and whether one has lost a lesson. A word that says what is known changes no week.
    """
    newest = {one.lesson_id: one for one in sorted(lessons, key=lambda one: one.fact_time)}
    chosen = sorted(newest.values(), key=lambda one: one.lesson_id)
    rows = await connection.fetch(
        """
        WITH kept AS (
            INSERT INTO held_lessons AS kept (school_id, lesson_id, class_id, lesson_date, is_held, fact_time)
            SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::date[], $5::boolean[], $6::timestamptz[])
            ON CONFLICT (school_id, lesson_id) DO UPDATE
            SET class_id = excluded.class_id, lesson_date = excluded.lesson_date, is_held = excluded.is_held,
                fact_time = excluded.fact_time
            WHERE kept.fact_time <= excluded.fact_time
            RETURNING old.class_id AS old_class_id, old.lesson_date AS old_date, coalesce(old.is_held, false) AS was_held,
                      new.class_id, new.lesson_date, new.is_held
        ), changed AS (
            SELECT * FROM kept WHERE (old_class_id, old_date, was_held) IS DISTINCT FROM (class_id, lesson_date, is_held)
        )
        SELECT class_id, date_trunc('week', day)::date AS monday, bool_or(is_less) AS is_less
        FROM (SELECT class_id, lesson_date AS day, was_held AND NOT is_held AS is_less FROM changed
              UNION ALL
              SELECT old_class_id, old_date, was_held FROM changed
              WHERE (old_class_id, old_date) <> (class_id, lesson_date)) AS touched
        GROUP BY class_id, monday ORDER BY monday, class_id
        """,
        school_id,
        [one.lesson_id for one in chosen],
        [one.class_id for one in chosen],
        [one.day for one in chosen],
        [one.is_held for one in chosen],
        [one.fact_time for one in chosen],
    )
    weeks = [(row["class_id"], row["monday"], row["is_less"]) for row in rows]
    # In one order, so that two lessons that change weeks wait for each other and do not lock each other out.
    for class_id, monday, _ in weeks:
        await _count_week(connection, school_id, class_id, monday)
    return weeks


async def _count_week(connection: Connection, school_id: UUID, class_id: UUID, monday: date) -> None:
    """Counts the held lessons of a week. It is locked by a statement before, so that the count sees what others have added."""
    await connection.execute(
        """
        INSERT INTO lesson_weeks AS kept (school_id, class_id, monday_date, last_lesson_date, lesson_count)
        VALUES ($1, $2, $3, $3, 0) ON CONFLICT (school_id, class_id, monday_date) DO UPDATE SET lesson_count = kept.lesson_count
        """,
        school_id,
        class_id,
        monday,
    )
    await connection.execute(
        """
        UPDATE lesson_weeks w
        SET last_lesson_date = CASE WHEN w.lesson_count IS NULL THEN greatest(w.last_lesson_date, h.last_date)
                                    ELSE coalesce(h.last_date, w.monday_date) END,
            lesson_count = CASE WHEN w.lesson_count IS NOT NULL THEN h.count END
        FROM (SELECT max(lesson_date) AS last_date, count(*) FROM held_lessons
              WHERE school_id = $1 AND class_id = $2 AND is_held AND lesson_date BETWEEN $3 AND $3 + 6) h
        WHERE w.school_id = $1 AND w.class_id = $2 AND w.monday_date = $3
        """,
        school_id,
        class_id,
        monday,
    )


async def find_lesson_week(connection: Connection, school_id: UUID, class_id: UUID, monday: date) -> tuple[date, str] | None:
    """The day of the last lesson that a class held in a week, and the school's zone; None while either is not known, or all
    lessons were withdrawn.
    """
    row = await connection.fetchrow(
        """
        SELECT w.last_lesson_date, s.time_zone FROM lesson_weeks w JOIN schools s USING (school_id)
        WHERE w.school_id = $1 AND w.class_id = $2 AND w.monday_date = $3 AND w.lesson_count IS DISTINCT FROM 0
        """,
        school_id,
        class_id,
        monday,
    )
    return None if row is None else (row["last_lesson_date"], row["time_zone"])


async def list_lesson_weeks(
    connection: Connection, school_id: UUID, student_ids: Sequence[UUID], since: date
) -> list[tuple[UUID, date]]:
    """Class and Monday of the weeks from a day on in which the students' classes held lessons."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT w.class_id, w.monday_date
        FROM placements l
        JOIN schools z ON z.school_id = $1
        JOIN lesson_weeks w ON w.school_id = $1 AND w.class_id = l.class_id AND w.lesson_count IS DISTINCT FROM 0
        CROSS JOIN LATERAL (SELECT (w.monday_date + 7)::timestamp AT TIME ZONE z.time_zone AS end_time) e
        WHERE l.school_id = $1 AND l.student_id = ANY ($2) AND w.monday_date >= $3 AND l.is_named
          AND l.from_time < e.end_time AND (l.to_time IS NULL OR l.to_time >= e.end_time)
        ORDER BY w.monday_date, w.class_id
        """,
        school_id,
        student_ids,
        since,
    )
    return [(row["class_id"], row["monday_date"]) for row in rows]


async def list_declared(connection: Connection, school_id: UUID, class_id: UUID, due: datetime) -> list[Declared]:
    """The declarations that want printouts, ended ones too, of the families of a class at a week's end.

    They are held until the transaction ends, so that a declaration that ends meanwhile sees the term that this opens.
    """
    rows = await connection.fetch(
        """
        SELECT p.student_id, p.guardian_person_id, greatest(p.record_time, 'epoch') AS record_time, p.revoke_time
        FROM placements l JOIN paper_modes p ON p.school_id = $1 AND p.student_id = l.student_id
        WHERE l.school_id = $1 AND l.class_id = $2 AND l.is_named
          AND l.from_time < $3 AND (l.to_time IS NULL OR l.to_time >= $3) AND NOT p.declines_printouts FOR SHARE
        """,
        school_id,
        class_id,
        due,
    )
    return [
        Declared(Addressee(row["student_id"], row["guardian_person_id"] or NOBODY), row["record_time"], row["revoke_time"])
        for row in rows
    ]


async def insert_owed(
    connection: Connection, school_id: UUID, class_id: UUID, monday: date, owed: Collection[Addressee]
) -> None:
    """Notes whom a week owes a printout, beside those it owed before."""
    await connection.execute(
        """
        INSERT INTO owed_printouts (school_id, class_id, monday_date, student_id, guardian_person_id)
        SELECT $1, $2, $3, * FROM unnest($4::uuid[], $5::uuid[])
        ON CONFLICT (school_id, class_id, monday_date, student_id, guardian_person_id) DO UPDATE SET is_owed = true
        WHERE NOT owed_printouts.is_owed
        """,
        school_id,
        class_id,
        monday,
        [one.student_id for one in owed],
        [one.guardian_id for one in owed],
    )


async def take_back_owed(
    connection: Connection, school_id: UUID, class_id: UUID, monday: date, owed: Collection[Addressee]
) -> bool:
    """Takes back what a week owed to others than these, since its lessons were withdrawn; whether it owes nothing now.

    Not of weeks begun before lessons were kept one by one: what remains of them nobody knows here.
    """
    await connection.execute(
        """
        UPDATE owed_printouts o SET is_owed = false
        FROM lesson_weeks l
        WHERE l.school_id = $1 AND l.class_id = $2 AND l.monday_date = $3 AND l.lesson_count IS NOT NULL
          AND o.school_id = $1 AND o.class_id = $2 AND o.monday_date = $3 AND o.is_owed
          AND (o.student_id, o.guardian_person_id) NOT IN (SELECT * FROM unnest($4::uuid[], $5::uuid[]))
        """,
        school_id,
        class_id,
        monday,
        [one.student_id for one in owed],
        [one.guardian_id for one in owed],
    )
    statement = "SELECT FROM owed_printouts WHERE school_id = $1 AND class_id = $2 AND monday_date = $3 AND is_owed LIMIT 1"
    return await connection.fetchrow(statement, school_id, class_id, monday) is None


# What a week owes still: to families of its class, on paper until its end. $1 school; the week's end is an expression.
STILL_OWED = f"""
{{owed}}.is_owed AND EXISTS (
    SELECT FROM placements l
    WHERE l.school_id = $1 AND l.student_id = {{owed}}.student_id AND l.class_id = {{owed}}.class_id AND l.is_named
      AND l.from_time < {{end}} AND (l.to_time IS NULL OR l.to_time >= {{end}})
) AND EXISTS (
    SELECT FROM paper_modes m
    WHERE m.school_id = $1 AND m.student_id = {{owed}}.student_id AND NOT m.declines_printouts
      AND (m.guardian_person_id = {{owed}}.guardian_person_id OR m.guardian_person_id IS NULL
           OR {{owed}}.guardian_person_id = '{NOBODY}')
      AND (m.revoke_time IS NULL OR m.revoke_time >= {{end}})
)
"""


async def list_owed(connection: Connection, school_id: UUID, class_id: UUID, monday: date, due: datetime) -> list[Addressee]:
    """Whom a week owes a printout still: those of the class on paper until the week's end."""
    rows = await connection.fetch(
        f"""
        SELECT o.student_id, o.guardian_person_id FROM owed_printouts o
        WHERE o.school_id = $1 AND o.class_id = $2 AND o.monday_date = $3 AND {STILL_OWED.format(owed="o", end="$4")}
        """,
        school_id,
        class_id,
        monday,
        due,
    )
    return [Addressee(*row) for row in rows]


async def list_owing_classes(connection: Connection, school_id: UUID, monday: date, student_ids: Sequence[UUID]) -> list[UUID]:
    """The classes whose week owes these students a printout."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT class_id FROM owed_printouts
        WHERE school_id = $1 AND monday_date = $2 AND student_id = ANY ($3) ORDER BY class_id
        """,
        school_id,
        monday,
        student_ids,
    )
    return [row["class_id"] for row in rows]


async def list_open_weeks(
    connection: Connection, school_id: UUID, student_ids: Sequence[UUID], now: datetime
) -> list[tuple[UUID, date]]:
    """Class and Monday of the weeks that are not over, not met, and owed one of these students a printout."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT class_id, monday_date
        FROM owed_printouts o JOIN deadlines d USING (school_id, class_id, monday_date)
        WHERE o.school_id = $1 AND o.student_id = ANY ($2) AND d.clause = $3 AND d.met_time IS NULL AND d.due_time > $4
          AND NOT d.is_void
        ORDER BY monday_date, class_id
        """,
        school_id,
        student_ids,
        CLAUSE,
        now,
    )
    return [(row["class_id"], row["monday_date"]) for row in rows]
