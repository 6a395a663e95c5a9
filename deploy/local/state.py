"""The state folder of a launcher: `.diary`, or what DIARY_STATE_DIR names.

lock            held by the launcher that runs here; holds its process id
children.json   process ids of its children and when each began, for a launcher that follows a killed one
seeded.json     the size of the demo region, written when it is whole
seeding.json    the database, of the environment, that a first start has begun on
logins.json     demo logins, 0600
passwords.json  of the services' database roles, 0600
keys/ logs/ postgres/ nats/ envoy.json
"""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from deploy.local.errors import LocalError
from deploy.local.process import Process

_ELSEWHERE = "or name another folder with DIARY_STATE_DIR"
_LOG_LIMIT = 16 * 1024 * 1024


class State:
    """The folder, locked by `open` until `close`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.logs = self.folder / "logs"
        self.keys = self.folder / "keys"
        self.logins = self.folder / "logins.json"
        self._lock: IO[str] | None = None

    def open(self) -> None:
        """Make and lock the folder. LocalError: another launcher runs here, or it cannot be written."""
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "lock").open("a+")
        except OSError as error:
            raise LocalError(
                f"the state folder {self.folder} cannot be written ({error.strerror}): make it yours, {_ELSEWHERE}"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            pid = lock.read().strip() or "unknown"
            lock.close()
            raise LocalError(f"another launcher (process {pid}) runs on {self.folder}: stop it first, {_ELSEWHERE}") from error
        self._lock = lock
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()

    def close(self) -> None:
        """Unlock; the children have ended."""
        if self._lock:
            (self.folder / "children.json").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def demand_space(self, megabytes: int) -> None:
        """LocalError when the disk of the folder has less left."""
        left = self.free_megabytes()
        if left < megabytes:
            raise LocalError(
                f"the disk of {self.folder} has {left} MB left and {megabytes} MB are needed: free some, {_ELSEWHERE}"
            )

    def free_megabytes(self) -> int:
        """What the disk of the folder has left."""
        return shutil.disk_usage(self.folder).free // 2**20

    def log(self, name: str) -> Path:
        """The log file of a child; one past 16 MiB is put aside as `.1` first."""
        path = self.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > _LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        return path

    def record_children(self, children: Mapping[str, Process]) -> None:
        """Note who runs, for `end_orphans` of a later launcher."""
        noted = {
            name: {"pid": child.pid, "began": _began(child.pid), "signal": int(child.stop_signal)}
            for name, child in children.items()
            if child.is_running
        }
        self._write("children.json", noted)

    def end_orphans(self) -> list[str]:
        """End what a killed launcher left behind and return the names; a reused process id is left alone."""
        noted: dict[str, dict[str, Any]] = self._read("children.json") or {}
        alive = {name: child for name, child in noted.items() if _began(child["pid"]) == child["began"]}
        for child in alive.values():
            _signal(child["pid"], child["signal"])
        deadline = time.monotonic() + 5
        for child in alive.values():
            while _began(child["pid"]) == child["began"]:
                if time.monotonic() > deadline:
                    _signal(child["pid"], signal.SIGKILL)
                time.sleep(0.02)
        return list(alive)

    def seeded(self) -> dict[str, int] | None:
        """The size of the region that was seeded here; None when none is whole."""
        found: dict[str, int] | None = self._read("seeded.json")
        return found

    def mark_seeded(self, size: Mapping[str, int]) -> None:
        """Note that the region is whole."""
        self._write("seeded.json", size)

    def began_seeding(self, mark: str) -> bool:
        """Whether a first start of ours began on the database of this mark."""
        return bool(self._read("seeding.json") == mark)

    def note_seeding(self, mark: str) -> None:
        """Note that a first start begins on the database of this mark."""
        self._write("seeding.json", mark)

    def passwords(self, names: tuple[str, ...]) -> dict[str, str]:
        """The passwords of the services' roles, made once."""
        passwords: dict[str, str] | None = self._read("passwords.json")
        if passwords is None:
            passwords = {name: secrets.token_urlsafe(24) for name in names}
            self._write("passwords.json", passwords)
        return passwords

    def _read(self, name: str) -> Any:
        with contextlib.suppress(FileNotFoundError):
            return json.loads((self.folder / name).read_text())
        return None

    def _write(self, name: str, content: Any) -> None:
        draft = self.folder / f".{name}.new"
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(content, indent=2))
        draft.replace(self.folder / name)


def _began(pid: int) -> int | None:
    """When a process began, in clock ticks since boot; None when it has ended. A pid and this name one process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[19])


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
