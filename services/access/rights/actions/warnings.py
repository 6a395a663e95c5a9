"""Tells of accesses that end by themselves (Clauses R6, R13)."""

from uuid import UUID

from chassis import outbox
from chassis.clock import Clock
from chassis.db import Database
from services.access.rights.convert import grants as convert
from services.access.rights.rules.grants import END_WARNING
from services.access.rights.store import grants


async def warn_school(database: Database, clock: Clock, school_id: UUID) -> None:
    """Tells of a school's accesses that end by themselves within 30 days (Clauses R6, R13)."""
    now = clock.now()
    async with database.school(school_id) as connection, connection.transaction():
        for ending in await grants.warn_of_endings(connection, school_id, now, now + END_WARNING):
            await outbox.add(connection, clock, convert.access_ends_soon(school_id, *ending), school_id)
