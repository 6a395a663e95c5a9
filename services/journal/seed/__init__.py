"""journal's part of a generated region, after the projection was rebuilt: timetable, lessons, absences, marks; by schools.

Marks are linked into chains by the same rules as on the live path, so that `verify-history` passes. Schools that have a
timetable are left as they are, so an interrupted seed goes on where it stopped; the same seed gives the same rows.
"""

import time
from datetime import date
from itertools import chain
from uuid import UUID

from chassis.clock import Clock, today
from chassis.db import Connection, owner
from services.journal.curriculum.store import close_periods
from services.journal.roster.rules import EMPTY_HEAD
from services.journal.seed import tables
from services.journal.seed.subjects import Subjects
from services.journal.seed.year import Year


async def seed(admin_dsn: str, clock: Clock, number: int, until: date | None) -> None:
    """Generates the year of each school up to `until` (today in the school's zone without it)."""
    subjects = Subjects()
    async with owner(admin_dsn, "journal") as connection:
        schools = await tables.list_unseeded(connection)
        for place, school_id in enumerate(schools, 1):
            start = time.monotonic()
            name, marks = await _seed_school(connection, school_id, subjects, clock, number, until)
            seconds = time.monotonic() - start
            print(f"seed: {place} of {len(schools)}: {name}: {marks} marks in {seconds:.1f} s", flush=True)
        await tables.settle(connection)


async def _seed_school(
    connection: Connection, school_id: UUID, subjects: Subjects, clock: Clock, number: int, until: date | None
) -> tuple[str, int]:
    async with connection.transaction():
        school = await tables.get_school(connection, school_id)
        day = until or today(clock, school.time_zone)
        year = Year(school, subjects, number, day)
        slots = year.slots()
        await tables.copy_slots(connection, school_id, slots)
        courses = list(year.courses(slots))
        await tables.copy_lessons(connection, list(chain.from_iterable(map(year.lesson_rows, courses))))
        await tables.copy_absences(connection, list(chain.from_iterable(map(year.absence_rows, courses))))
        chains = {generated.course.course_id: year.batches(generated) for generated in courses}
        await tables.copy_batches(connection, school_id, chains, EMPTY_HEAD)
        await close_periods(connection, school_id, day)
        return school.name, sum(len(batch.rows) for chain_ in chains.values() for batch in chain_)
