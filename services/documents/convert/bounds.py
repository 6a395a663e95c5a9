"""What a process that reads a stranger's file may take: past it the process ends, not the service."""

import resource

CPU_SECONDS = 60
_DATA_BYTES = 512 << 20


class UnreadableError(Exception):
    """The file is not what it should be, or takes more than it may."""


def bound_process() -> None:
    """Bounds memory and processor time of this process, and leaves no core, which would hold people's papers, behind."""
    resource.setrlimit(resource.RLIMIT_DATA, (_DATA_BYTES, _DATA_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
