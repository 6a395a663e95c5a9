"""What a service does by time: named jobs, each done again after its interval, and seen by the time of its last success.

Every replica does every job, so a job is safe beside itself: rows are claimed by lock or lease, or the work is the same twice.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chassis import log, metrics

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
# Work that went on for so long before it broke was well: the pauses begin anew.
_WELL_SECONDS = 30.0


@dataclass(frozen=True)
class Job:
    """Work and its interval. `work` does one bounded piece and answers True where more waits: it is then done again at once.

    Work that goes on for ever (it listens) tells its successes itself, by `succeeded`, at least once an interval.
    """

    name: str
    interval_seconds: float
    work: Callable[[], Awaitable[bool | None]]
    first_after_seconds: float = 0.0
    woken_by: asyncio.Event | None = None
    """Set where there is work before the interval is over."""
    end: Callable[[], Awaitable[None]] | None = None
    """Awaited when the job is done no more: what it has begun may come to its end."""


def register(job: Job) -> None:
    """Shows a job from the start: one that never succeeds is then seen as well as one that does so no more."""
    metrics.job_interval_seconds.labels(job.name).set(job.interval_seconds)
    succeeded(job.name)


def succeeded(name: str) -> None:
    """Notes that a job has just done what it is for."""
    metrics.job_last_success_seconds.labels(name).set_to_current_time()


async def keep(job: Job) -> None:
    """Does a job for ever; what breaks is done again after a pause that grows to five seconds."""
    await asyncio.sleep(job.first_after_seconds)
    pause = _FIRST_PAUSE
    while True:
        began = asyncio.get_running_loop().time()
        if job.woken_by is not None:
            job.woken_by.clear()
        try:
            is_more = await job.work()
        except Exception as error:
            log.logger().warning("job_broke", job=job.name, error=repr(error))
            if asyncio.get_running_loop().time() - began > _WELL_SECONDS:
                pause = _FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        else:
            succeeded(job.name)
            pause = _FIRST_PAUSE
            if not is_more:
                await _rest(job)


async def _rest(job: Job) -> None:
    if job.woken_by is None:
        await asyncio.sleep(job.interval_seconds)
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(job.interval_seconds):
            await job.woken_by.wait()
