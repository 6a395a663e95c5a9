"""Loops that run side by side until they are ended, and are not left behind.

nats-py, while it connects or waits for room, and asyncio.wait_for may swallow a cancellation. Whoever is asked only once to
end, as by a TaskGroup, may then run for ever: here it is asked again each second.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

Loop = Callable[[], Awaitable[None]]


async def run_together(*loops: Loop) -> None:
    """Runs until one of them breaks; raises its error when all have ended."""
    tasks = [asyncio.ensure_future(loop()) for loop in loops]
    try:
        broken, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        await end(tasks)
    for task in broken:
        task.result()


async def end(tasks: "Iterable[asyncio.Future[None]]") -> None:
    """Cancels until all have ended. To be cancelled meanwhile changes nothing; it is raised afterwards."""
    running, is_cancelled = set(tasks), False
    while running:
        for task in running:
            task.cancel()
        try:
            await asyncio.wait(running, timeout=1)
        except asyncio.CancelledError:
            is_cancelled = True
        running = {task for task in running if not task.done()}
    if is_cancelled:
        raise asyncio.CancelledError
