"""Guardians' declarations for paper: a new one in place of the earlier, and the ends of the paper mode (Clause R8)."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from chassis import outbox
from chassis.clock import Clock, today
from chassis.db import Connection, Database
from services.access.people.convert import declarations as convert
from services.access.people.rules.declarations import Declared, PaperDeclaration
from services.access.people.store import declarations as store
from services.access.people.store import people, schools


async def declare(
    connection: Connection, clock: Clock, school_id: UUID, student_id: UUID, declared: Declared, account_id: UUID, day: date
) -> PaperDeclaration:
    """A declaration on its own sheet, in place of the guardian's earlier one (Clause R8); access stays as it is."""
    await people.lock_people(connection, school_id, [declared.guardian_person_id])
    await end_paper_mode(connection, clock, school_id, student_id, [declared.guardian_person_id])
    declaration = await store.insert_declaration(connection, school_id, None, student_id, declared, account_id, day)
    await outbox.add(connection, clock, convert.paper_mode_changed(school_id, declaration), school_id)
    return declaration


async def end_paper_mode(
    connection: Connection, clock: Clock, school_id: UUID, student_id: UUID, guardian_ids: Sequence[UUID]
) -> None:
    """Ends the open declarations of guardians about a student, with their events (Clause R8)."""
    revoked = await store.revoke_declarations(connection, school_id, student_id, guardian_ids, clock.now())
    for declaration in revoked:
        await outbox.add(connection, clock, convert.paper_mode_changed(school_id, declaration), school_id)


async def end_lapsed_modes(database: Database, clock: Clock, school_id: UUID) -> None:
    """Ends the paper mode of who is no guardian of the student any more: by age, by a document's term (Clauses R6, R8, R19)."""
    async with database.school(school_id) as connection, connection.transaction():
        day = today(clock, await schools.get_time_zone(connection, school_id))
        for declaration in await store.revoke_lapsed_declarations(connection, school_id, day, clock.now()):
            await outbox.add(connection, clock, convert.paper_mode_changed(school_id, declaration), school_id)
