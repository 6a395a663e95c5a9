"""One child process: a group of its own, output to a log file, and an end together with the process that started it."""

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from deploy.local.account import Account
from deploy.local.errors import LocalError

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Process:
    """A child. Its output is appended to `log`; `stop_signal` asks it to end, now and when the launcher dies."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
        account: Account | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._environment = environment
        self._account = account
        self.stop_signal = stop_signal
        self._child: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process id; LocalError before the first start."""
        if self._child is None:
            raise LocalError(f"{self.name} has not been started")
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether the child was started and has not ended."""
        return self._child is not None and self._child.returncode is None

    async def start(self) -> None:
        """Start the child; LocalError when the program cannot be run or the log cannot be written."""
        identity = {} if self._account is None else self._account.identity()
        try:
            with self.log.open("ab") as output:
                self._child = await asyncio.create_subprocess_exec(
                    *self._command,
                    env=self._environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=asyncio.subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=self._die_with_parent,
                    **identity,
                )
        except OSError as error:
            raise LocalError(f"{self.name} cannot be started: {error}") from error

    def _die_with_parent(self) -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(self.stop_signal))

    async def wait(self) -> int:
        """The exit code, negative for a signal, once the child has ended; what is left of its group is killed."""
        assert self._child is not None
        code = await self._child.wait()
        self._signal_group(signal.SIGKILL)
        return code

    async def stop(self, seconds: float) -> bool:
        """Ask the child to end and wait; kill it after `seconds`. Returns whether it ended by itself."""
        if not self.is_running:
            return True
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, self.stop_signal)
        try:
            await asyncio.wait_for(self.wait(), seconds)
        except TimeoutError:
            self._signal_group(signal.SIGKILL)
            await self.wait()
            return False
        return True

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def until(self, is_ready: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Return when `is_ready`; LocalError with the last log lines when the child ends or `seconds` pass before."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not await is_ready():
            if not self.is_running:
                assert self._child is not None
                raise LocalError(f"{self.name} ended with code {self._child.returncode}; {describe_log(self.log)}")
            if asyncio.get_running_loop().time() > deadline:
                raise LocalError(f"{self.name} was not ready within {seconds:.0f} s; {describe_log(self.log)}")
            await asyncio.sleep(0.02)


def describe_log(log: Path, lines: int = 5) -> str:
    """Where the log is and its last lines; a full disk, which the lines may bury, is named first."""
    tail = log.read_text(errors="replace")[-20_000:].splitlines()[-200:] if log.exists() else []
    full = any("No space left on device" in line for line in tail)
    told = "".join(f"\n    {line[:300]}" for line in tail[-lines:])
    return f"{'the disk is full; ' if full else ''}its log is {log}{told and ', which ends:'}{told}"
