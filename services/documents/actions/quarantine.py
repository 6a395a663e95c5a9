"""Where strangers' files are read: a process for each, bounded in memory and time, whose end harms nobody else."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from services.documents.convert.bounds import Bounds, UnreadableError, bound_process

_Answer = TypeVar("_Answer")


class Quarantine:
    """One file at a time, so that the bounds of one are the bounds of all."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._turn = asyncio.Semaphore(1)

    async def read(self, work: Callable[..., _Answer], *arguments: object) -> _Answer:
        """What `work`, a function of a module, makes of its arguments, after some 0.5 s of starting.

        Raises UnreadableError when it does, or when its process broke or went past its bounds.
        """
        async with self._turn:
            # A new process each: what one file has spoiled no other one meets. Spawned, since gRPC does not bear a fork.
            pool = ProcessPoolExecutor(1, get_context("spawn"), bound_process, (self._bounds,))
            try:
                return await asyncio.get_running_loop().run_in_executor(pool, work, *arguments)
            except (BrokenProcessPool, MemoryError) as error:
                raise UnreadableError("the file broke its reader, or took too much of it") from error
            finally:
                pool.shutdown(wait=False)
