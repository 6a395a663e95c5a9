"""What documents does by time."""

import asyncio

from chassis import metrics
from chassis.run import Frame, Loop
from services.documents.rules.print_runs import CLAUSE
from services.documents.store import deadlines

_COUNT_SECONDS = 15


def count_deadlines(frame: Frame) -> Loop:
    """Shows how many deadlines are open and overdue, by clause (Clause R7)."""
    for in_time in ("true", "false"):
        metrics.deadlines_met.labels(CLAUSE, in_time)

    async def often() -> None:
        while True:
            async with frame.database.jobs() as connection:
                counts = await deadlines.count_open_deadlines(connection, frame.clock.now())
            # Where nothing is open no row comes, and that is zero.
            for clause, is_open, is_overdue in counts or [(CLAUSE, 0, 0)]:
                metrics.deadlines_open.labels(clause).set(is_open)
                metrics.deadlines_overdue.labels(clause).set(is_overdue)
            await asyncio.sleep(_COUNT_SECONDS)

    return often
