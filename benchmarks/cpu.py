"""CPU time of processes and all below them, from /proc."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Part:
    """Whose CPU is counted: processes with all below them, and of Postgres the backends of some logins.

    `without`: logins whose backends are left out, when Postgres itself is among `roots`.
    """

    roots: tuple[int, ...]
    logins: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def seconds(self) -> float:
        """User and system seconds so far, those of ended children included."""
        return _seconds(self)


def idle_share(parts: Sequence[Part], seconds: float) -> list[float]:
    """CPU of each part for a second in which nothing is asked of it: loops and polls, which are no unit's cost."""
    before = [part.seconds() for part in parts]
    time.sleep(seconds)
    return [(part.seconds() - one) / seconds for part, one in zip(parts, before, strict=True)]


def cpu_seconds(roots: Iterable[int]) -> float:
    """User and system seconds of the given processes and their descendants, those that have ended included."""
    return Part(tuple(roots)).seconds()


def _seconds(part: Part) -> float:
    # A child that ends while this reads would be lost: gone itself, and not yet in its parent's sum, which was read before.
    # So two readings must have met the same processes; parents come first, and are read anew the second time.
    before: set[int] = set()
    while True:
        ticks = dict(_read(part))
        if ticks.keys() == before:
            return sum(ticks.values()) / TICKS_PER_SECOND
        before = set(ticks)


def _read(part: Part) -> Iterator[tuple[int, int]]:
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for pid in sorted(int(path.name) for path in Path("/proc").glob("[0-9]*")):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # ended between the listing and the read
            continue
        parents[pid] = int(fields[1])
        # utime, stime, and cutime, cstime of children already waited for: the sum over a tree never falls.
        ticks[pid] = sum(map(int, fields[11:15]))
    found = _trees(set(part.roots), parents)
    if part.logins or part.without:
        logins = {pid: _login(pid) for pid in parents}
        found |= {pid for pid, login in logins.items() if login in part.logins}
        found -= {pid for pid in found if logins[pid] in part.without}
    return ((pid, ticks[pid]) for pid in found)


def _trees(roots: set[int], parents: dict[int, int]) -> set[int]:
    found = roots & parents.keys()
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} | found
        if more == found:
            return found
        found = more


def _login(pid: int) -> str:
    """As whom a backend of Postgres was opened: its title is `postgres: login database host(port) state`."""
    try:
        title = Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return title.split(" ")[1] if title.startswith("postgres: diary_") else ""


def postmaster_pid(dsn: str) -> int:
    """The Postgres server behind a DSN, which must run on this machine: the parent of any backend."""
    with psycopg.connect(dsn) as connection:
        backend = connection.info.backend_pid
        return int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])


def megabytes(pid: int) -> float:
    """What a process holds in memory now, its own share of what it shares with others (PSS)."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(text.partition("\nPss:")[2].split()[0]) / 1024
