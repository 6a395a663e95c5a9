"""Work that two doors need: a term of R7 begins by a printing or a lesson; a printing, a hand-over, an ending settle it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from chassis import metrics, outbox
from chassis.clock import Clock
from chassis.db import Connection
from services.documents.convert.print_runs import write_deadline_changed
from services.documents.rules.print_runs import find_met_time, open_deadline
from services.documents.store import deadlines, paper_families, print_runs

# More runs of one class and week than anybody makes.
_ALL = 1000


async def begin_week(
    connection: Connection, clock: Clock, school_id: UUID, class_id: UUID, monday: date, time_zone: str
) -> None:
    """Opens the term of a class's week, once, and notes whom the week owes a printout. In a transaction."""
    deadline = open_deadline(class_id, monday, time_zone)
    if await deadlines.insert_deadline(connection, school_id, class_id, monday, deadline):
        await paper_families.insert_owed(connection, school_id, class_id, monday, deadline.started)
        await outbox.add(connection, clock, write_deadline_changed(school_id, deadline), school_id)


async def settle_week(
    connection: Connection, clock: Clock, school_id: UUID, class_id: UUID, monday: date, evidence: str
) -> None:
    """Notes that the term of a week is met, or open again since another student was printed for. In a transaction."""
    deadline = await deadlines.lock_deadline(connection, school_id, class_id, monday)
    owed = await paper_families.list_owed(connection, school_id, class_id, monday, deadline.due)
    runs = await print_runs.list_runs(connection, school_id, class_id, monday, None, _ALL)
    # Of a week that nobody was printed for and that owes nothing any more, what ended that is the evidence.
    met = find_met_time(runs, owed) if runs or owed else clock.now()
    if met == deadline.met:
        return
    changed = replace(deadline, met=met, evidence=evidence if met else "")
    await deadlines.update_met(connection, school_id, changed)
    await outbox.add(connection, clock, write_deadline_changed(school_id, changed), school_id)
    if met is not None:
        metrics.deadlines_met.labels(deadline.clause, str(met <= deadline.due).lower()).inc()


async def settle_running_weeks(
    connection: Connection, clock: Clock, school_id: UUID, student_ids: Sequence[UUID], evidence: str
) -> None:
    """Settles the running weeks that owe these students a printout, since they may owe it no longer. In a transaction."""
    for class_id, monday in await paper_families.list_open_weeks(connection, school_id, student_ids, clock.now()):
        await settle_week(connection, clock, school_id, class_id, monday, evidence)
