"""Work that two doors need: events and the rebuild write the same projection."""

from uuid import UUID

from chassis import relations
from chassis.db import Connection
from services.journal.curriculum.rules import plan_quarters, plan_work_types
from services.journal.roster import store as roster
from services.journal.roster.convert import Entries


async def apply_entries(connection: Connection, school_id: UUID, entries: Entries) -> None:
    """Writes roster entries of higher versions; a school's year brings its periods and work types. In a transaction."""
    await roster.lock_projection(connection, school_id)
    for school in entries.schools:
        if await roster.update_school(connection, school):
            for first, last in {(school.year_start_date, school.year_end_date), *school.years}:
                await roster.insert_periods(connection, school_id, plan_quarters(school_id, first, last))
            await roster.insert_work_types(connection, school_id, plan_work_types(school_id))
    if entries.classes:
        await roster.update_classes(connection, school_id, entries.classes)
    if entries.students:
        await roster.update_students(connection, school_id, entries.students)
    if entries.courses:
        await roster.update_courses(connection, school_id, entries.courses)
    if entries.relations:
        await relations.apply(connection, school_id, entries.relations)
