"""When students are in which class, as a projection reads and keeps it: in tables `students` and `placements`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from chassis.db import Connection
from chassis.placements import Placement, StudentPlace
from diary.access.v1 import roster_pb2


def read_place(message: roster_pb2.RosterStudent) -> StudentPlace:
    """Where a student is and was placed."""
    class_id = UUID(message.class_id) if message.class_id else None
    return StudentPlace(UUID(message.student_id), class_id, message.version, read_placements(message))


def read_placements(message: roster_pb2.RosterStudent) -> tuple[Placement, ...]:
    """The times in classes; access of the release before tells the class alone, which then is that of ever."""
    if not message.placements and message.class_id:
        return (Placement(UUID(message.class_id), datetime.min.replace(tzinfo=UTC), None),)
    return tuple(
        Placement(
            UUID(placement.class_id),
            placement.from_time.ToDatetime(tzinfo=UTC),
            placement.to_time.ToDatetime(tzinfo=UTC) if placement.HasField("to_time") else None,
        )
        for placement in message.placements
    )


async def put_places(connection: Connection, school_id: UUID, places: Sequence[StudentPlace]) -> None:
    """Writes the classes of students whose version is higher than the kept one. In `db.school`, in a transaction."""
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
    await put_placements(
        connection, school_id, {place.student_id: place.placements for place in places if place.student_id in written}
    )


async def put_placements(connection: Connection, school_id: UUID, of_students: Mapping[UUID, Sequence[Placement]]) -> None:
    """The placements of students as the roster now names them; one no longer named stays, unnamed. In a transaction."""
    await connection.execute(
        "UPDATE placements SET is_named = false WHERE school_id = $1 AND student_id = ANY ($2::uuid[])",
        school_id,
        list(of_students),
    )
    named = [(student_id, placement) for student_id, placements in of_students.items() for placement in placements]
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
