"""CPU time of processes and all below them, from /proc."""

import os
from collections.abc import Iterable
from pathlib import Path

import psycopg

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(roots: Iterable[int]) -> float:
    """User and system seconds of the given processes and their descendants, those that have ended included."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            stat = path.read_text()
        except (FileNotFoundError, ProcessLookupError):  # ended between the listing and the read
            continue
        pid, fields = int(path.parent.name), stat.rpartition(")")[2].split()
        parents[pid] = int(fields[1])
        # utime, stime, and cutime, cstime of children already waited for: the sum over a tree never falls.
        ticks[pid] = sum(map(int, fields[11:15]))
    return sum(ticks[pid] for pid in _trees(set(roots), parents)) / TICKS_PER_SECOND


def _trees(roots: set[int], parents: dict[int, int]) -> set[int]:
    found = roots & parents.keys()
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} | found
        if more == found:
            return found
        found = more


def postmaster_pid(dsn: str) -> int:
    """The Postgres server behind a DSN, which must run on this machine: the parent of any backend."""
    with psycopg.connect(dsn) as connection:
        backend = connection.info.backend_pid
        return int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])
