"""What documents does by time."""

import asyncio

from prometheus_client import Gauge

from chassis import metrics
from chassis.run import Frame, Loop
from services.documents.rules.print_runs import CLAUSE
from services.documents.store import deadlines, documents

_COUNT_SECONDS = 15

_unsigned = Gauge("diary_documents_unsigned", "Papers that wait for the head's signature")
_unsigned_seconds = Gauge("diary_documents_unsigned_seconds", "For how long the oldest of them has waited")


def count_deadlines(frame: Frame) -> Loop:
    """Shows how many deadlines are open and overdue, by clause (Clause R7)."""
    shown = metrics.OpenDeadlines(CLAUSE)

    async def often() -> None:
        while True:
            async with frame.database.jobs() as connection:
                shown.show(await deadlines.count_open_deadlines(connection, frame.clock.now()))
            await asyncio.sleep(_COUNT_SECONDS)

    return often


def count_unsigned(frame: Frame) -> Loop:
    """Shows how many papers of all schools wait for a signature, and for how long (Clause R22)."""

    async def often() -> None:
        while True:
            async with frame.database.jobs() as connection:
                waiting, oldest = await documents.count_unsigned(connection)
            _unsigned.set(waiting)
            _unsigned_seconds.set((frame.clock.now() - oldest).total_seconds() if oldest else 0)
            await asyncio.sleep(_COUNT_SECONDS)

    return often
