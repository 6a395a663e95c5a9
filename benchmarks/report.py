"""What is printed at the end, in Markdown: read on a terminal and kept in docs/reports."""

import os
import platform
import sysconfig
from collections.abc import Mapping, Sequence

from benchmarks.contest import Row
from benchmarks.goals import GOALS
from deploy.version import told_version

_COLUMNS = {
    "work": "work",
    "ours": "Diary",
    "against": "set against",
    "theirs": "its",
    "ratio": "ratio",
    "goal": "goal",
    "reached": "reached",
    "rate": "rate (ours : its)",
    "after": "bus, consumers",
    "driver": "driver's share",
}


def render(rows: Sequence[Row], conditions: Sequence[str], broken: Mapping[str, str]) -> str:
    """All rows, then the goals that this run has not measured and why."""
    table = [tuple(_COLUMNS.values()), *(tuple(getattr(row, name) for name in _COLUMNS) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in table]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    measured = {row.work for row in rows}
    left = [
        f"- {goal.work}: not measured: {f'broke: {broken[goal.contest]}' if goal.contest in broken else goal.why}"
        for goal in GOALS
        if goal.work not in measured
    ]
    return "\n".join([*conditions, "", *lines, *([""] if left else []), *left])


def describe_machine() -> str:
    """What was measured, on what, and how this Python was built: that alone is worth several per cent."""
    options = sysconfig.get_config_var("CONFIG_ARGS") or ""
    named = [name for name in ("--enable-optimizations", "--with-lto") if name in options]
    build = ", ".join(named) or "no profile-guided optimisation"
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()} ({build})"
    return f"Diary {told_version()}; {machine}."
