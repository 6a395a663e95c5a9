"""Work that two doors need: a lesson or a declaration begins a term of R7; a hand-over or an ending settles it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from chassis.clock import Clock
from chassis.db import Connection
from chassis.deadlines import Deadline, acts
from chassis.deadlines.store import lock_deadline
from diary.documents.v1.events_pb2 import DeadlineChanged
from services.documents.print_runs.rules.paper_families import Addressee, find_owed
from services.documents.print_runs.rules.runs import CLAUSE, find_met, name_term, open_deadline
from services.documents.print_runs.store import deadlines, paper_families
from services.documents.print_runs.store import runs as print_runs

# A declaration's event comes late by some days at most; of weeks further back a lesson reckons that is
# new, moved or withdrawn.
_LATE = timedelta(days=14)


async def reckon_week(connection: Connection, clock: Clock, school_id: UUID, class_id: UUID, monday: date) -> None:
    """Notes whom a class's week owes a printout, and opens its term with the first of them. In a transaction."""
    owed, deadline = await _find_owed(connection, school_id, class_id, monday)
    if deadline is None or not owed:
        return
    await paper_families.insert_owed(connection, school_id, class_id, monday, owed)
    if await deadlines.insert_deadline(connection, school_id, class_id, monday, deadline):
        await acts.tell(connection, clock, DeadlineChanged, school_id, deadline)
    await settle_week(connection, clock, school_id, class_id, monday, "")


async def take_back_week(connection: Connection, clock: Clock, school_id: UUID, class_id: UUID, monday: date) -> None:
    """Takes back what a week owed for lessons that were withdrawn, and its term when nothing is left. In a transaction."""
    owed, _ = await _find_owed(connection, school_id, class_id, monday)
    owes_nothing = await paper_families.take_back_owed(connection, school_id, class_id, monday, owed)
    deadline = await lock_deadline(connection, school_id, CLAUSE, name_term(class_id, monday))
    if deadline is None:
        return
    if owes_nothing:
        await acts.take_back(connection, clock, DeadlineChanged, school_id, deadline)
    else:
        await settle_week(connection, clock, school_id, class_id, monday, "")


async def _find_owed(
    connection: Connection, school_id: UUID, class_id: UUID, monday: date
) -> tuple[set[Addressee], Deadline | None]:
    """Whom a week owes a sheet by what is known now, and its term; None for a week without lessons."""
    held = await paper_families.find_lesson_week(connection, school_id, class_id, monday)
    if held is None:
        return set(), None
    last_lesson, zone = held
    deadline = open_deadline(class_id, monday, zone)
    declared = await paper_families.list_declared(connection, school_id, class_id, deadline.due)
    return find_owed(declared, monday, last_lesson, zone), deadline


async def reckon_weeks_of(connection: Connection, clock: Clock, school_id: UUID, student_ids: Sequence[UUID]) -> None:
    """The same for the latest weeks of these students' classes, whose declarations may come after their lessons."""
    since = (clock.now() - _LATE).date()
    for class_id, monday in await paper_families.list_lesson_weeks(connection, school_id, student_ids, since):
        await reckon_week(connection, clock, school_id, class_id, monday)


async def settle_week(connection: Connection, clock: Clock, school_id: UUID, class_id: UUID, monday: date, ending: str) -> None:
    """Notes that the term of a week is met, or open again; nothing for a week without a term. In a transaction.

    `ending`: what ended that the week owes anything at all, where it owes nothing any more.
    """
    deadline = await lock_deadline(connection, school_id, CLAUSE, name_term(class_id, monday))
    if deadline is None:
        return
    owed = await paper_families.list_owed(connection, school_id, class_id, monday, deadline.due)
    handed = await print_runs.list_handed(connection, school_id, monday, [one.student_id for one in owed])
    if owed:
        met, evidence = find_met(owed, handed) or (None, "")
    elif deadline.met is None and ending:
        met, evidence = clock.now(), ending
    else:
        return
    if met == deadline.met:
        return
    changed = replace(deadline, met=met, evidence=str(evidence))
    await acts.settle(connection, clock, DeadlineChanged, school_id, changed)


async def settle_weeks_of(
    connection: Connection, clock: Clock, school_id: UUID, monday: date, student_ids: Sequence[UUID]
) -> None:
    """Settles a week in whichever classes it owes these students a printout. In a transaction."""
    for class_id in await paper_families.list_owing_classes(connection, school_id, monday, student_ids):
        await settle_week(connection, clock, school_id, class_id, monday, "")


async def settle_running_weeks(
    connection: Connection, clock: Clock, school_id: UUID, student_ids: Sequence[UUID], evidence: str
) -> None:
    """Settles the running weeks that owe these students a printout, since they may owe it no longer. In a transaction."""
    for class_id, monday in await paper_families.list_open_weeks(connection, school_id, student_ids, clock.now()):
        await settle_week(connection, clock, school_id, class_id, monday, evidence)
