"""How many deadlines are open and overdue."""

import asyncio

from chassis import metrics
from chassis.loops import Loop
from chassis.run import Frame
from services.access.cases.rules.applications import CLAUSE
from services.access.oversight import store

_COUNT_SECONDS = 15


def count_deadlines(frame: Frame) -> Loop:
    """Shows how many deadlines are open and overdue, by clause (Clause R15)."""
    shown = metrics.OpenDeadlines(CLAUSE)

    async def often() -> None:
        while True:
            async with frame.database.jobs() as connection:
                shown.show(await store.count_open_deadlines(connection, frame.clock.now()))
            await asyncio.sleep(_COUNT_SECONDS)

    return often
