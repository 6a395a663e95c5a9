"""The table at the end, in Markdown: read on a terminal and kept in docs/reports."""

import os
import platform
from collections.abc import Sequence

from benchmarks.contest import ROUNDS, Result
from benchmarks.load import SECONDS

# Measured outside this run (goals.md): RosarioSIS, a school system in PHP, beside an echo on the same machine.
ROSARIO_WEEKS, ROSARIO_ECHO, ROSARIO_GOAL = 28, 5_000, 40
_COLUMNS = (
    "work",
    "Diary",
    "CPU us",
    "set against",
    "its rate",
    "its CPU us",
    "rate ratio",
    "CPU ratio",
    "floor",
    "aim",
    "reached",
)


def render(results: Sequence[Result], students: int) -> str:
    """All results as text; nothing when there are none."""
    if not results:
        return ""
    rows = [_COLUMNS, *map(_row, results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    conditions = (
        f"{students:,} students; {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; medians of "
        f"{ROUNDS} rounds of {SECONDS:g} s, alternating; CPU is that of the servers and of Postgres for one unit of work."
    )
    return "\n".join([conditions, "", *lines, *map(_rosario, (result for result in results if result.rival.name == "echo"))])


def _row(result: Result) -> tuple[str, ...]:
    return (
        result.work,
        f"{result.ours.rps:,.0f}/s",
        f"{result.ours.cpu_us:,.0f}",
        result.rival.name,
        f"{result.limit.rps:,.0f}/s",
        f"{result.limit.cpu_us:,.0f}",
        f"{result.ratio:.0%}" if result.ratio < 1 else f"{result.ratio:.1f}x",
        f"{result.cpu_ratio:.2f}x",
        str(result.rival.floor),
        str(result.rival.aim),
        result.verdict,
    )


def _rosario(result: Result) -> str:
    times = result.ratio / (ROSARIO_WEEKS / ROSARIO_ECHO)
    return (
        f"\nRosarioSIS, recorded outside this run: {ROSARIO_WEEKS} weeks/s where the echo gave {ROSARIO_ECHO:,}/s; "
        f"Diary / echo is {result.ours.rps:,.0f} / {result.limit.rps:,.0f}, so {times:.0f}x (goal {ROSARIO_GOAL}x)."
    )
