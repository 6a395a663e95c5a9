"""Acts that must not run twice, though a browser sends them twice."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")

# Requests that left the browser before it saw the first answer are answered alike for this long.
_REMEMBER_SECONDS = 30.0


class Once(Generic[Answer]):
    """Runs an act once a key within this process: whoever comes with the key within thirty seconds gets the same answer.

    An act that failed is forgotten at once, so that it can be tried again.
    """

    def __init__(self) -> None:
        self._tasks: dict[bytes, asyncio.Task[Answer]] = {}

    async def run(self, key: bytes, act: Coroutine[Any, Any, Answer]) -> Answer:
        """The answer of the act, or of the one that runs or ran for the key."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(act)
            task.add_done_callback(lambda done: self._forget(key, done))
        else:
            act.close()
        # A person who leaves one page must not take the act from the others that wait for it.
        return await asyncio.shield(task)

    def _forget(self, key: bytes, done: asyncio.Task[Answer]) -> None:
        if done.cancelled() or done.exception():
            self._tasks.pop(key, None)
        else:
            asyncio.get_running_loop().call_later(_REMEMBER_SECONDS, self._tasks.pop, key, None)
