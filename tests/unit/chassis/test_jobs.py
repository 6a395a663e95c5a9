"""A job is done again and again, and its last success is there to be seen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import REGISTRY

from chassis.jobs import Job, keep, register
from tests.support.eventually import eventually


def _last_success(name: str) -> float:
    found = REGISTRY.get_sample_value("diary_job_last_success_seconds", {"name": name})
    assert found is not None
    return found


@asynccontextmanager
async def _kept(job: Job) -> AsyncIterator[None]:
    register(job)
    task = asyncio.create_task(keep(job))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_job_that_fails_is_done_again_and_its_last_success_stays_as_old_as_it_is() -> None:
    tried = 0
    is_mended = asyncio.Event()

    async def work() -> None:
        nonlocal tried
        tried += 1
        if not is_mended.is_set():
            raise ValueError("broken")

    async with _kept(Job("mended", 3600, work)):
        started = _last_success("mended")
        await eventually(lambda: tried >= 3)
        assert _last_success("mended") == started
        is_mended.set()
        await eventually(lambda: _last_success("mended") > started)
    assert REGISTRY.get_sample_value("diary_job_interval_seconds", {"name": "mended"}) == 3600


async def test_where_more_waits_the_next_piece_is_done_at_once_and_then_the_job_rests() -> None:
    pieces = 0

    async def work() -> bool:
        nonlocal pieces
        pieces += 1
        return pieces < 5

    async with _kept(Job("in pieces", 3600, work)):
        await eventually(lambda: pieces == 5)
        await asyncio.sleep(0)
    assert pieces == 5


async def test_a_job_is_woken_before_its_interval_is_over() -> None:
    news, done = asyncio.Event(), 0

    async def work() -> None:
        nonlocal done
        done += 1

    async with _kept(Job("woken", 3600, work, woken_by=news)):
        await eventually(lambda: done == 1)
        news.set()
        await eventually(lambda: done == 2)
        news.set()
        await eventually(lambda: done == 3)


async def test_a_job_that_waits_for_its_first_time_is_seen_from_the_start() -> None:
    async def work() -> None:
        raise AssertionError("too early")

    async with _kept(Job("later", 3600, work, first_after_seconds=3600)):
        await asyncio.sleep(0)
        assert _last_success("later") > 0
