"""The launcher's measures, pure: how long it waits for what (seconds), and when a disk is worth a word (megabytes)."""

_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 15.0
_STEADY = 30.0
STOP_WITHIN = 9.0
_KEPT_FOR_EACH_LATER = 1.0
SPACE_ENOUGH, SPACE_LOW, SPACE_NONE = range(3)


def next_pause(before: float, lived: float) -> float:
    """The pause before the next start of a child that lived so long; it doubles while the child keeps dying early."""
    if before == 0 or lived >= _STEADY:
        return _FIRST_PAUSE
    return min(before * 2, _LONGEST_PAUSE)


def stop_allowance(spent: float, later_stages: int) -> float:
    """How long a stage may take to end, so that each of those after it still has a second."""
    return max(STOP_WITHIN - spent - later_stages * _KEPT_FOR_EACH_LATER, 0.5)


def space_level(megabytes: int) -> int:
    """SPACE_ENOUGH, SPACE_LOW or SPACE_NONE; PostgreSQL takes 16 MB of log at a time."""
    if megabytes >= 200:
        return SPACE_ENOUGH
    return SPACE_LOW if megabytes >= 16 else SPACE_NONE
