"""How long the launcher waits: before it starts a dead child again, and for children to end. Seconds, pure."""

_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 15.0
_STEADY = 30.0
STOP_WITHIN = 9.0
_KEPT_FOR_EACH_LATER = 1.0


def next_pause(before: float, lived: float) -> float:
    """The pause before the next start of a child that lived so long; it doubles while the child keeps dying early."""
    if before == 0 or lived >= _STEADY:
        return _FIRST_PAUSE
    return min(before * 2, _LONGEST_PAUSE)


def stop_allowance(spent: float, later_stages: int) -> float:
    """How long a stage may take to end, so that each of those after it still has a second."""
    return max(STOP_WITHIN - spent - later_stages * _KEPT_FOR_EACH_LATER, 0.5)
