"""How many deadlines are open and overdue, for the metrics."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from chassis import metrics
from chassis.db import Connection
from chassis.deadlines.store import count_open_deadlines
from chassis.jobs import Job
from chassis.run import Frame

_COUNT_SECONDS = 15
Count = Callable[[Connection, datetime], Awaitable[Sequence[tuple[str, int, int]]]]


def count_deadlines(frame: Frame, clause: str, count: Count = count_open_deadlines) -> Job:
    """Shows how many are open and overdue by clause: of the service's own clause from the start, of all that `count` finds."""
    shown = metrics.OpenDeadlines(clause)

    async def show() -> None:
        async with frame.database.jobs() as connection:
            shown.show(await count(connection, frame.clock.now()))

    return Job("count_deadlines", _COUNT_SECONDS, show)
