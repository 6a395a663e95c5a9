"""Ends of guardianships and enrolments. In `db.school`, grants about the student locked before."""

from datetime import date, timedelta
from uuid import UUID

from asyncpg import Range

from chassis.db import Connection
from services.access.people.rules.guardianships import AuthorityEnd

_DAY = timedelta(days=1)


async def lock_guardianship(
    connection: Connection, school_id: UUID, guardianship_id: UUID, day: date
) -> tuple[UUID, UUID] | None:
    """Guardian and student of a guardianship in force on a day, the guardian held: nothing is granted to one meanwhile."""
    row = await connection.fetchrow(
        """
        SELECT g.guardian_person_id, g.student_id
        FROM standing_guardianships s
        JOIN guardianships g USING (school_id, guardianship_id)
        JOIN people p ON p.school_id = g.school_id AND p.person_id = g.guardian_person_id
        WHERE s.school_id = $1 AND s.guardianship_id = $2 AND s.validity @> $3::date FOR NO KEY UPDATE OF g, p
        """,
        school_id,
        guardianship_id,
        day,
    )
    return (row["guardian_person_id"], row["student_id"]) if row else None


async def end_guardianship(
    connection: Connection, school_id: UUID, guardianship_id: UUID, ground: str, end: AuthorityEnd
) -> None:
    """Ends it on a day: from now on it stands no more, though its validity is never cut before it has begun. Drops those of
    the same two people that have not begun.
    """
    await connection.execute(
        """
        WITH ended AS (
            UPDATE guardianships SET end_ground = $4, end_kind = $5, end_date = $3, end_act_number = $6, end_act_date = $7,
                   validity = daterange(lower(validity), greatest($3, lower(validity) + 1))
            WHERE school_id = $1 AND guardianship_id = $2 RETURNING guardian_person_id, student_id
        )
        SELECT drop_unborn_guardianships($1, student_id, guardian_person_id) FROM ended
        """,
        school_id,
        guardianship_id,
        end.last_date,
        ground,
        end.ending,
        end.act_number,
        end.act_date,
    )


async def is_placed_after(connection: Connection, school_id: UUID, student_id: UUID, day: date) -> bool:
    """Whether a class or study group of a student begins after a day."""
    found: bool = await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM placements WHERE school_id = $1 AND student_id = $2 AND lower(validity) > $3)
            OR EXISTS (SELECT FROM study_group_members WHERE school_id = $1 AND student_id = $2 AND lower(validity) > $3)
        """,
        school_id,
        student_id,
        day,
    )
    return found


async def end_placements(connection: Connection, school_id: UUID, student_id: UUID, last_day: date) -> list[UUID]:
    """Ends class and study groups with a day, raising the versions of the student and the groups; returns the groups."""
    until = Range(None, last_day + _DAY)
    rows = await connection.fetch(
        """
        WITH student AS (UPDATE students SET version = version + 1 WHERE school_id = $1 AND student_id = $2),
        placed AS (
            UPDATE placements SET validity = validity * $3::daterange
            WHERE school_id = $1 AND student_id = $2 AND NOT validity <@ $3::daterange
        ),
        members AS (
            UPDATE study_group_members SET validity = validity * $3::daterange
            WHERE school_id = $1 AND student_id = $2 AND NOT validity <@ $3::daterange RETURNING study_group_id
        )
        UPDATE study_groups g SET version = version + 1 FROM members m
        WHERE g.school_id = $1 AND g.study_group_id = m.study_group_id RETURNING g.study_group_id
        """,
        school_id,
        student_id,
        until,
    )
    return [row["study_group_id"] for row in rows]


async def end_enrolment(
    connection: Connection, school_id: UUID, student_id: UUID, last_day: date, order_number: str, order_date: date
) -> bool:
    """Ends the enrolment that a day belongs to with that day, by the order of leaving; false when there is none."""
    status = await connection.execute(
        """
        UPDATE enrolments SET validity = daterange(lower(validity), $4), end_order_number = $5, end_order_date = $6
        WHERE school_id = $1 AND student_id = $2 AND validity @> $3::date
        """,
        school_id,
        student_id,
        last_day,
        last_day + _DAY,
        order_number,
        order_date,
    )
    return bool(status != "UPDATE 0")
