"""Loops that run side by side end together, whatever swallows a cancellation."""

import asyncio
import contextlib

import pytest

from chassis.loops import run_together


class Deaf:
    """A loop that overhears so many cancellations."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.has_ended = False

    async def run(self) -> None:
        """Runs for ever."""
        while self.left:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
            self.left -= 1
        try:
            await asyncio.sleep(3600)
        finally:
            self.has_ended = True


async def test_who_is_ended_ends_when_all_its_loops_have() -> None:
    deaf = Deaf(2)
    task = asyncio.create_task(run_together(deaf.run, Deaf(0).run))
    while not task.done():
        await asyncio.sleep(0.01)
        task.cancel()
    assert task.cancelled()
    assert deaf.has_ended


async def test_a_loop_that_breaks_ends_the_others_and_is_told() -> None:
    deaf = Deaf(1)

    async def break_soon() -> None:
        await asyncio.sleep(0.01)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await run_together(deaf.run, break_soon)
    assert deaf.has_ended
