"""Periods in SQL. Whoever asks which period a day, a week or a year lies in asks by the fragments of this room: a school has
periods of several kinds at once, and a day alone finds one of each.
"""

# ruff: noqa: S608 - fragments of statements, composed of names in statements

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from chassis.db import Connection
from services.journal.curriculum.rules import Period, PeriodKind


def period_of(course: str, day: str) -> str:
    """To be joined: the period `p` that a day of a course lies in, none in vacations. `course` is an alias of courses."""
    return (
        f"periods p ON p.school_id = {course}.school_id AND p.kind = {course}.period_kind"
        f" AND {day} BETWEEN p.start_date AND p.end_date"
    )


def period_is_open(course_id: str, day: str) -> str:
    """Whether a day of a course lies in a period that nobody has closed. The school is $1."""
    return f"""EXISTS (
    SELECT FROM courses pc JOIN {period_of("pc", day)}
    WHERE pc.school_id = $1 AND pc.course_id = {course_id} AND NOT p.is_closed
)"""


def periods_of(course: str) -> str:
    """All periods of a course's time in their order, as an array of rows that `Period` is made of."""
    return f"""ARRAY(
        SELECT ROW(p.period_id, p.name, p.start_date, p.end_date, p.is_closed) FROM periods p
        WHERE p.school_id = {course}.school_id AND p.kind = {course}.period_kind
          AND p.end_date >= {course}.start_date AND p.start_date <= {course}.end_date
        ORDER BY p.start_date
    )"""


def period_of_week(of: str, monday: str, sunday: str) -> str:
    """To be joined laterally: name and days, as `p`, of the last period begun in a week, or before it and running in it.

    `of` is an alias of courses or classes.
    """
    return f"""LATERAL (
    SELECT name, start_date, end_date FROM periods
    WHERE school_id = {of}.school_id AND kind = {of}.period_kind AND start_date <= {sunday} AND end_date >= {monday}
    ORDER BY start_date DESC LIMIT 1
) AS p ON true"""


async def list_periods(connection: Connection, school_id: UUID, kind: PeriodKind) -> list[Period]:
    """A school's periods of a kind in their order."""
    rows = await connection.fetch(
        """
        SELECT period_id, name, start_date, end_date, is_closed FROM periods
        WHERE school_id = $1 AND kind = $2 ORDER BY start_date
        """,
        school_id,
        kind,
    )
    return [Period(*row) for row in rows]


async def insert_periods(connection: Connection, school_id: UUID, kind: PeriodKind, periods: Sequence[Period]) -> None:
    """Writes the periods that are not there yet."""
    await connection.executemany(
        """
        INSERT INTO periods (school_id, kind, period_id, name, start_date, end_date) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (school_id, period_id) DO NOTHING
        """,
        [(school_id, kind, p.period_id, p.name, p.start_date, p.end_date) for p in periods],
    )


async def close_periods(connection: Connection, school_id: UUID, before: date) -> None:
    """Closes the periods that ended before a day."""
    await connection.execute("UPDATE periods SET is_closed = true WHERE school_id = $1 AND end_date < $2", school_id, before)
