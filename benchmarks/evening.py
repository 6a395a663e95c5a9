"""A tenth of a region's evening, open loop: 50 diary weeks a second as JSON, 5 RecordMarks of a class, with their letters.

What comes is not slowed by what is slow: each call is sent at its time, and its wait is counted from that time. CPU is that of
the whole region but for the mail server, until the last letter has left; ten times of it must fit into 60 % of eight cores.
"""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from statistics import quantiles
from typing import Any

import psycopg
import uvloop

from benchmarks import diary
from benchmarks.bench import Bench
from benchmarks.contest import Row
from benchmarks.cpu import Part, idle_share
from benchmarks.diary import Course, Family
from benchmarks.json_gateway import json_week
from benchmarks.letter import LETTERS, NEWEST
from benchmarks.load import IDLE_SECONDS, Client, draw_week, grpc_client, http_client

_WEEKS, _WRITES, _TENTH = 50, 5, 10
_SECONDS, _CONNECTIONS = 60, 40
_CORES, _GOAL_MS = 8 * 0.6, 100
_PARTS = ("access", "journal", "journal-2", "notify", "documents", "nats", "gateway")


def run(bench: Bench) -> list[Row]:
    """Every family has an address."""
    running, weeks = bench.running, diary.list_weeks(bench.running)
    seconds = max(5, round(_SECONDS * bench.share))
    whole = Part((*(running.pids[name] for name in _PARTS), running.postmaster))
    with (
        psycopg.connect(running.admin_dsn, autocommit=True) as database,
        diary.addresses(database, [family.student_id for family in bench.families]) as addresses,
    ):
        diary.settle(running)
        [(newest,)] = database.execute(NEWEST).fetchall()
        families = diary.sign_in(running, bench.families)
        courses = diary.teach(running, bench.courses)
        print(f"an evening of {seconds} s, {addresses:,} families with an address; then its letters", flush=True)
        [idle] = idle_share([whole], IDLE_SECONDS)
        before, began = whole.seconds(), time.time()
        waits = uvloop.run(_load(running, families, courses, weeks, seconds))
        diary.settle(running)
        [(letters, ended)] = database.execute(LETTERS, (newest,)).fetchall()
        late = max(0.0, ended - began - seconds)
        # What it does when nothing is asked belongs to the evening, not to the wait after it.
        cores = (whole.seconds() - before - idle * (time.time() - began - seconds)) / seconds
    p99 = quantiles(waits, n=100, method="inclusive")[98] * 1000
    work = "A region's evening, a tenth of it"
    asked = f"{_WEEKS} weeks/s and {_WRITES} RecordMarks of a class/s for {seconds} s, {letters:,} letters"
    return [
        Row(work, f"p99 {p99:,.0f} ms of calls", asked, goal=f"<= {_GOAL_MS} ms", reached=_judge(p99, _GOAL_MS)),
        Row(
            work,
            f"{cores:.2f} cores, so {cores * _TENTH:.1f} for the whole; the last letter left {late:.0f} s after",
            asked,
            goal=f"<= {_CORES:.1f} cores for the whole",
            reached=_judge(cores * _TENTH, _CORES),
        ),
    ]


def _judge(value: float, most: float) -> str:
    return "goal" if value <= most else "below"


async def _load(
    running: diary.Running, families: tuple[Family, ...], courses: tuple[Course, ...], weeks: tuple[str, ...], seconds: int
) -> list[float]:
    rng = random.Random(5)
    waits: list[float] = []
    async with AsyncExitStack() as stack:
        gateway = running.region.gateway_url.removeprefix("http://")
        free: asyncio.LifoQueue[Client] = asyncio.LifoQueue()
        for _ in range(_CONNECTIONS):
            free.put_nowait(await stack.enter_async_context(http_client(gateway)))
        journals = [await stack.enter_async_context(grpc_client(running.address)) for _ in range(4)]
        start = time.monotonic() + 0.1

        async def read(at: float) -> None:
            client = await free.get()
            await client.send(json_week(rng.choice(families), weeks[draw_week(len(weeks), rng)]))
            free.put_nowait(client)
            waits.append(time.monotonic() - at)

        async def write(at: float) -> None:
            await diary.send_marks(rng.choice(journals), diary.record_marks(rng.choice(courses), rng))
            waits.append(time.monotonic() - at)

        async def at_a_rate(what: Callable[[float], Coroutine[Any, Any, None]], rate: int) -> None:
            async with asyncio.TaskGroup() as group:
                for number in range(rate * seconds):
                    at = start + number / rate
                    await asyncio.sleep(max(0.0, at - time.monotonic()))
                    group.create_task(what(at))

        await asyncio.gather(at_a_rate(read, _WEEKS), at_a_rate(write, _WRITES))
    return waits
