"""The term of R7 of each class and week, as it begins; what becomes of it is chassis/deadlines."""

from datetime import date
from uuid import UUID

from chassis.db import Connection
from chassis.deadlines import Deadline


async def insert_deadline(connection: Connection, school_id: UUID, class_id: UUID, monday: date, deadline: Deadline) -> bool:
    """Opens a term, or one that was taken back anew; False when it was open or met before. In `db.school`."""
    status = await connection.execute(
        """
        INSERT INTO deadlines AS kept (school_id, clause, subject_id, class_id, monday_date, start_time, due_time)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (school_id, clause, subject_id) DO UPDATE SET is_void = false, met_time = NULL, evidence = ''
        WHERE kept.is_void
        """,
        school_id,
        deadline.clause,
        UUID(deadline.subject),
        class_id,
        monday,
        deadline.started,
        deadline.due,
    )
    return status.endswith(" 1")
