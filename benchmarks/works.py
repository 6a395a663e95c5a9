"""A rival that needs no server: work done in a process of its own, whose CPU is the service's."""

import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from multiprocessing.connection import Connection
from typing import Protocol

import uvloop

from benchmarks.cpu import Part
from benchmarks.load import Measure

_spawn = multiprocessing.get_context("spawn")


class Work(Protocol):
    """Pickled into its process; `warm_up`: units of each loop that are not counted."""

    @property
    def warm_up(self) -> int: ...

    def open(self) -> AbstractAsyncContextManager[Callable[[], Awaitable[None]]]:
        """What is done for each unit."""
        ...


def measure_work(work: Work, units: int, in_flight: int, beside: Part) -> Measure:
    """Does so many units, so many at once; CPU is that of the process and `beside`."""
    mine, theirs = _spawn.Pipe()
    process = _spawn.Process(target=_run, args=(work, units, in_flight, theirs))
    process.start()
    theirs.close()
    assert process.pid is not None
    part = Part((process.pid, *beside.roots), beside.logins, beside.without)
    try:
        mine.recv()
        before, began = part.seconds(), time.monotonic()
        mine.send(None)
        latencies = sorted(mine.recv())
        seconds, after = time.monotonic() - began, part.seconds()
    except EOFError:
        raise SystemExit(f"benchmark: {type(work).__name__} failed; see above") from None
    finally:
        mine.close()
        process.join()
    done = len(latencies)
    p50, p99 = latencies[done // 2] * 1e3, latencies[done * 99 // 100] * 1e3
    return Measure(done / seconds, (after - before) / done * 1e6, 0, 0, p50, p99)


def _run(work: Work, units: int, in_flight: int, pipe: "Connection[list[float] | None, None]") -> None:
    async def run() -> None:
        latencies: list[float] = []

        async def loop(unit: Callable[[], Awaitable[None]], count: int) -> None:
            for _ in range(count):
                begun = time.monotonic()
                await unit()
                latencies.append(time.monotonic() - begun)

        async with work.open() as unit:
            await asyncio.gather(*(loop(unit, work.warm_up) for _ in range(in_flight)))
            latencies.clear()
            pipe.send(None)
            await asyncio.to_thread(pipe.recv)
            await asyncio.gather(*(loop(unit, -(-units // in_flight)) for _ in range(in_flight)))
        pipe.send(latencies)
        pipe.poll(None)  # until its CPU is read

    uvloop.run(run())
