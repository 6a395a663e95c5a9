"""The second start of a region: the whole by the clock, each service by its CPU until all are ready, and its memory then."""

import argparse
import asyncio
import os
import re
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.contest import Row
from benchmarks.cpu import cpu_seconds, megabytes
from deploy.keys import SERVICES
from deploy.local.launcher import Launcher

_SECONDS, _SERVICE_SECONDS, _MEGABYTES = 10, 1.5, 100
_MEASURED = (*SERVICES, "portal")


def run(given: argparse.Namespace) -> list[Row]:
    """Starts a region once to make it, then again in each round."""
    return asyncio.run(_run(given.rounds))


async def _run(rounds: int) -> list[Row]:
    folder = tempfile.mkdtemp(prefix="diary-bench-")
    os.chmod(folder, 0o711)  # Postgres runs under an account of its own and must get through
    whole: list[float] = []
    cpu: dict[str, list[float]] = {name: [] for name in _MEASURED}
    memory: dict[str, list[float]] = {name: [] for name in _MEASURED}
    try:
        for number in range(rounds + 1):
            print(f"start {number} of {rounds}" if number else "making a region", flush=True)
            # A loaded machine has Postgres killed at the end, whose children take a moment to let go of its memory.
            await asyncio.sleep(3)
            began = time.monotonic()
            async with Launcher(Path(folder), is_private=True) as launcher:
                seconds = time.monotonic() - began
                if number == 0:
                    continue
                whole.append(seconds)
                for name in _MEASURED:
                    cpu[name].append(cpu_seconds([launcher.children[name].pid]))
                    memory[name].append(megabytes(launcher.children[name].pid))
    finally:
        shutil.rmtree(folder)
    return [
        Row("Start", f"{median(whole):.1f} s, all at once", goal=f"<= {_SECONDS} s", reached=_judge(median(whole), _SECONDS)),
        _row("Start", "{:.2f} s of CPU", cpu, f"<= {_SERVICE_SECONDS} s a service", _SERVICE_SECONDS),
        _row("Memory of a service", "{:.0f} MB", memory, f"<= {_MEGABYTES} MB", _MEGABYTES),
    ]


def _row(work: str, form: str, found: dict[str, list[float]], goal: str, most: float) -> Row:
    medians = {name: median(values) for name, values in found.items()}
    shown = ", ".join(f"{name} {form.format(value)}" for name, value in medians.items())
    return Row(work, re.sub(r" (s of CPU|MB)(?=,)", "", shown), goal=goal, reached=_judge(max(medians.values()), most))


def _judge(value: float, most: float) -> str:
    return "goal" if value <= most else "below"
