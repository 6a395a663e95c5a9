"""What the owner of a content says of who may see its letter. In `db.school`."""

from uuid import UUID

from chassis.db import Connection


async def put_class(connection: Connection, school_id: UUID, delivery_id: UUID, class_id: UUID | None) -> None:
    """Keeps the class whose class teacher may see a delivery that is about no student."""
    await connection.execute(
        """
        UPDATE deliveries SET class_id = $3 WHERE school_id = $1 AND delivery_id = $2 AND class_id IS DISTINCT FROM $3
        """,
        school_id,
        delivery_id,
        class_id,
    )
