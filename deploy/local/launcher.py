"""Starts a region, keeps it up and stops it. From Python:

async with Launcher(folder, is_private=True) as launcher:
    launcher.region.gateway_url, launcher.region.address("journal"), launcher.children["journal"].pid
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from deploy.local import plan
from deploy.local.errors import LocalError
from deploy.local.pace import SPACE_ENOUGH, SPACE_NONE, next_pause, space_level, stop_allowance
from deploy.local.plan import Child, Stage, Task
from deploy.local.process import Process, describe_log
from deploy.local.region import Region, Size, Tell
from deploy.local.state import State

_READY_WITHIN = 30.0
_NEEDED_FIRST, _NEEDED_LATER = 500, 100  # megabytes of disk
_WATCH_DISK_EVERY = 5.0


def _say_nothing(line: str) -> None:
    """For tests and benchmarks."""


class Launcher:
    """One region in one state folder. Use from one event loop whose thread lives as long as the region."""

    def __init__(
        self,
        folder: Path,
        size: Size | None = None,
        tell: Tell = _say_nothing,
        is_private: bool = False,
        stages: Callable[[Region], Iterator[Stage]] = plan.everything,
    ) -> None:
        self._state = State(folder)
        self._size = size or Size()
        self._tell = tell
        self._is_private = is_private
        self._stages = stages
        self._started: list[list[Child]] = []
        self._watchers: list[asyncio.Task[None]] = []
        self.children: dict[str, Process] = {}

    async def __aenter__(self) -> "Launcher":
        """Start; whatever was started is stopped again when that fails."""
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Start all stages. LocalError says what stands in the way; call `stop` then too."""
        self._state.open()
        for name in self._state.end_orphans():
            self._tell(f"{name} was left by a launcher that was killed; ended")
        self._check_state()
        self.region = Region(self._state, self._size, self._tell, self._is_private)
        if self._state.seeded() is None:
            self._forget_broken_start()
        for stage in self._stages(self.region):
            await self._start_stage(stage)
        children = [child for stage in self._started for child in stage]
        self._watchers = [asyncio.create_task(self._keep_up(child)) for child in children]
        self._watchers.append(asyncio.create_task(self._watch_disk()))

    def _check_state(self) -> None:
        seeded = self._state.seeded()
        self._state.demand_space(_NEEDED_FIRST if seeded is None else _NEEDED_LATER)
        given = self._size.given()
        if seeded is not None and given and given != seeded:
            raise LocalError(
                f"{self._state.folder} holds a region of {seeded or 'the usual size'}, not of {given}: "
                "name another folder with DIARY_STATE_DIR for that"
            )

    def _forget_broken_start(self) -> None:
        """A region is whole or not there: what a first start that broke has left is removed."""
        self.region.postgres.remove()
        self.region.nats.remove()

    async def _start_stage(self, stage: Stage) -> None:
        self._started.append([part for part in stage if isinstance(part, Child)])
        try:
            async with asyncio.TaskGroup() as group:
                for part in stage:
                    group.create_task(self._run_task(part) if isinstance(part, Task) else self._start_child(part))
        except ExceptionGroup as errors:
            # The first reason is enough: one that stands in several parts' way would only be told several times.
            raise errors.exceptions[0] from None

    async def _run_task(self, task: Task) -> None:
        began = time.monotonic()
        await task.run()
        self._tell(f"{task.name}: done in {time.monotonic() - began:.1f} s")

    async def _start_child(self, child: Child) -> None:
        began = time.monotonic()
        self.region.release_ports(child.ports)
        try:
            await self._run(child)
        except LocalError as error:
            if child.instead:
                raise LocalError(f"{error}\nIf this machine cannot run it, name another with {child.instead}") from error
            raise
        self._tell(f"{child.process.name}: ready in {time.monotonic() - began:.1f} s")

    async def _run(self, child: Child) -> None:
        process = child.process
        await process.start()
        self.children[process.name] = process
        self._state.record_children(self.children)
        await process.until(child.is_ready, _READY_WITHIN)

    async def _keep_up(self, child: Child) -> None:
        name, pause, began = child.process.name, 0.0, time.monotonic()
        while True:
            ended = await child.process.wait()
            pause = next_pause(pause, time.monotonic() - began)
            self._tell(
                f"{name} ended with code {ended}; it is started again in {pause:.1f} s; {describe_log(child.process.log)}"
            )
            await asyncio.sleep(pause)
            began = time.monotonic()
            try:
                await self._run(child)
                self._tell(f"{name} is up again")
            except (LocalError, OSError) as error:
                self._tell(str(error))

    async def _watch_disk(self) -> None:
        told = SPACE_ENOUGH
        while True:
            left = self._state.free_megabytes()
            if space_level(left) > told:
                fate = "writes fail" if space_level(left) == SPACE_NONE else "writes will fail soon"
                self._tell(f"the disk of {self._state.folder} has {left} MB left and {fate}: free some")
            told = space_level(left)
            await asyncio.sleep(_WATCH_DISK_EVERY)

    async def stop(self) -> None:
        """End all children in reverse order, within ten seconds; nothing committed is lost even by those killed then."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        began = time.monotonic()
        while self._started:
            stage = self._started.pop()
            seconds = stop_allowance(time.monotonic() - began, sum(map(bool, self._started)))
            await asyncio.gather(*(self._stop_child(child.process, seconds) for child in stage))
        self._state.close()

    async def _stop_child(self, process: Process, seconds: float) -> None:
        if not process.is_running:
            return
        ended = await process.stop(seconds)
        self._tell(f"{process.name}: stopped" if ended else f"{process.name}: killed after {seconds:.0f} s")
