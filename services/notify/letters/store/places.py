"""The projection of students' classes: for class teachers' lists. In `db.school`."""

from collections.abc import Sequence
from uuid import UUID

from chassis.db import Connection
from services.notify.letters.rules import StudentPlace


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
