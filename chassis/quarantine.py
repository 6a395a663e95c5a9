"""Where strangers' files are read: a process for each, bounded in memory and time, whose end harms nobody else."""

import asyncio
import resource
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar

from chassis.errors import ResourceExhausted

_Answer = TypeVar("_Answer")
# Spawned, since gRPC does not bear a fork.
_processes = get_context("spawn")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a process that reads a stranger's file may take, the reader's own 60 MB included; how many may wait beside it, each
    with its file, and for how long all of it may take.
    """

    data_bytes: int
    cpu_seconds: int
    waiting: int
    seconds: float


class UnreadableError(Exception):
    """The file is not what it should be, or takes more than it may."""


class Quarantine:
    """One file at a time, so that the bounds of one are the bounds of all; few wait, since each holds its file meanwhile."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._turn = asyncio.Semaphore(1)
        self._count = 0
        # One reads, another sees a reader off that nobody waits for any more.
        self._threads = ThreadPoolExecutor(2, "quarantine")

    async def read(self, work: Callable[..., _Answer], *arguments: object) -> _Answer:
        """What `work`, a function of a module, makes of its arguments, after some 0.5 s of starting.

        Raises UnreadableError when it does, or when its process broke or went past its bounds, ResourceExhausted
        TOO_MANY_WAITING when there is no room to wait or no turn came in time. Who stops waiting ends the process.
        """
        if self._count > self._bounds.waiting:
            raise _too_many()
        self._count += 1
        try:
            return await self._read_in_turn(work, arguments)
        finally:
            self._count -= 1

    async def _read_in_turn(self, work: Callable[..., _Answer], arguments: tuple[object, ...]) -> _Answer:
        reader = None
        try:
            async with asyncio.timeout(self._bounds.seconds), self._turn:
                # A new process each: what one file has spoiled no other one meets.
                reader = _Reader(self._bounds, work, arguments)
                answer: _Answer = await asyncio.get_running_loop().run_in_executor(self._threads, reader.run)
                return answer
        except TimeoutError as error:
            if reader is None:
                raise _too_many() from error
            raise UnreadableError("reading the file took too long") from error
        except (EOFError, BrokenPipeError, MemoryError) as error:
            raise UnreadableError("the file broke its reader, or took too much of it") from error
        finally:
            if reader is not None:
                reader.end()


class _Reader:
    """The process that reads one file."""

    def __init__(self, bounds: Bounds, work: Callable[..., Any], arguments: tuple[object, ...]) -> None:
        self._ours, self._theirs = _processes.Pipe(duplex=False)
        self._process: SpawnProcess | None = None
        self._wanted = (bounds, work, arguments)
        self._is_ended = False

    def run(self) -> Any:
        """Starts the process and waits for its answer, in a thread. Raises what the work raises, EOFError when it was lost."""
        process = _processes.Process(target=_answer, args=(self._theirs, *self._wanted), daemon=True)
        try:
            process.start()
            self._process = process
            self._theirs.close()
            if self._is_ended:
                process.kill()
            is_done, answer = self._ours.recv()
        finally:
            self._ours.close()
            if self._process is not None:
                process.kill()
                process.join()
        if not is_done:
            raise answer
        return answer

    def end(self) -> None:
        """Ends the process wherever it is; nothing when it has ended."""
        self._is_ended = True
        if self._process is not None:
            self._process.kill()


def _answer(to: Connection, bounds: Bounds, work: Callable[..., Any], arguments: tuple[object, ...]) -> None:
    """The process's own: the answer, or the error in its place."""
    _bound_process(bounds)
    try:
        found = (True, work(*arguments))
    except Exception as error:
        found = (False, error)
    to.send(found)


def _bound_process(bounds: Bounds) -> None:
    """Bounds memory and processor time of this process; it leaves no core behind, which would hold people's papers."""
    resource.setrlimit(resource.RLIMIT_DATA, (bounds.data_bytes, bounds.data_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (bounds.cpu_seconds, bounds.cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _too_many() -> ResourceExhausted:
    return ResourceExhausted("TOO_MANY_WAITING", "too many files wait to be read now; repeat the call a little later")
