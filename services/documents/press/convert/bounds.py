"""What a process that reads a stranger's file may take: past it the process ends, not the service."""

import resource
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one file's reading, the reader's own 60 MB included; of how many may wait beside it, each with its file of up to 7
    MB, and for how long all of it may take.
    """

    data_bytes: int
    cpu_seconds: int
    waiting: int
    seconds: float


# A scan of 100 pages takes some 20 s, a PNG of a sheet at 600 dpi 200 MB. Callers give up at half a minute, and end it then.
OF_THE_OFFICE = Bounds(320 << 20, 90, 8, 60.0)
# A paper takes 0.02 s; anyone may send anything. Callers give up at 15 s.
OF_STRANGERS = Bounds(192 << 20, 10, 3, 30.0)


class UnreadableError(Exception):
    """The file is not what it should be, or takes more than it may."""


def bound_process(bounds: Bounds) -> None:
    """Bounds memory and processor time of this process; it leaves no core behind, which would hold people's papers."""
    resource.setrlimit(resource.RLIMIT_DATA, (bounds.data_bytes, bounds.data_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (bounds.cpu_seconds, bounds.cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
