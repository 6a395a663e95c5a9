"""What goes by time: papers that wait for a signature are counted."""

from __future__ import annotations

from prometheus_client import Gauge

from chassis.jobs import Job
from chassis.run import Frame
from services.documents.register import store

_COUNT_SECONDS = 15

_unsigned = Gauge("diary_documents_unsigned", "Papers that wait for the head's signature")
_unsigned_seconds = Gauge("diary_documents_unsigned_seconds", "For how long the oldest of them has waited")


def count_unsigned(frame: Frame) -> Job:
    """Shows how many papers of all schools wait for a signature, and for how long (Clause R22)."""

    async def count() -> None:
        async with frame.database.jobs() as connection:
            waiting, oldest = await store.count_unsigned(connection)
        _unsigned.set(waiting)
        _unsigned_seconds.set((frame.clock.now() - oldest).total_seconds() if oldest else 0)

    return Job("count_unsigned", _COUNT_SECONDS, count)
