"""How many deadlines are open and overdue."""

from chassis import metrics
from chassis.jobs import Job
from chassis.run import Frame
from services.access.cases.rules.applications import CLAUSE
from services.access.oversight import store

_COUNT_SECONDS = 15


def count_deadlines(frame: Frame) -> Job:
    """Shows how many deadlines are open and overdue, by clause (Clause R15)."""
    shown = metrics.OpenDeadlines(CLAUSE)

    async def count() -> None:
        async with frame.database.jobs() as connection:
            shown.show(await store.count_open_deadlines(connection, frame.clock.now()))

    return Job("count_deadlines", _COUNT_SECONDS, count)
