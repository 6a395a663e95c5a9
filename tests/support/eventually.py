"""Waiting for what becomes true by the work of others."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any


async def eventually(
    predicate: Callable[[], Any],
    seconds: float = 10.0,
    why: str = "the condition",
    every: float = 0.02,
) -> Any:
    """Ask `predicate` (plain or async) again and again; return its first true value.

    Fails the test when `seconds` pass before; an AssertionError of the predicate counts as not yet, and is shown.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        refusal: AssertionError | None = None
        try:
            value = predicate()
            answer = await value if inspect.isawaitable(value) else value
            if answer:
                return answer
        except AssertionError as error:
            refusal = error
        if loop.time() > deadline:
            raise AssertionError(f"{why} did not come true within {seconds} s") from refusal
        await asyncio.sleep(every)
