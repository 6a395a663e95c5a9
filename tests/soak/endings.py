"""`python -m tests.soak.endings [--races 10000] [--seconds 480]`: a slice of the races of endings, until their number is full.

Each call starts a region of its own, races for at most so many seconds and adds a line to docs/reports/endings.jsonl: seed and
totals. When the lines hold enough races, it says so and does nothing.
"""

import argparse
import asyncio
import json
import random
import sys
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from statistics import quantiles
from typing import Any

from deploy.local.region import Size
from tests.support.endings import Races, Totals, list_grants
from tests.support.region import read_logins, run_region, signed_in
from tests.support.teaching import find_school

REPORT = Path(__file__).parents[2] / "docs" / "reports" / "endings.jsonl"
# An access token of the admin lives five minutes.
_ROUND = 100
_STUDENTS = 1200


def read_slices() -> list[dict[str, Any]]:
    """The slices that were run."""
    return [json.loads(line) for line in REPORT.read_text().splitlines()] if REPORT.exists() else []


async def run_slice(seed: int, seconds: float, races: int) -> Totals:
    """Races in a new region until the time or their number is up."""
    until = asyncio.get_running_loop().time() + seconds
    async with run_region(Size(schools=1, students=_STUDENTS, seed=seed)) as region:
        login = read_logins(region)["admin"]
        async with signed_in(region, login) as admin:
            school_id = find_school(await admin.get("/v1/me"))["schoolId"]
            grants = await list_grants(region, school_id, [], races)
            slice_ = Races(region, admin, school_id, random.Random(seed))
            for number, start in enumerate(range(0, len(grants), _ROUND)):
                # Every other round runs with all servers up, so that goals for both are measured.
                async with slice_.disturbed() if number % 2 else nullcontext():
                    await slice_.run(grants[start : start + _ROUND])
                if asyncio.get_running_loop().time() > until:
                    break
                await admin.sign_in(login.login, login.password)
    return slice_.totals


def describe(totals: Totals) -> dict[str, Any]:
    """Counts, and of times their number, median, 99th percentile and longest, in seconds (goals.md, 3)."""
    found = asdict(totals)
    found["quiet_in_2_s"] = sum(time <= 2 for time in totals.quiet_times)
    for name, times in [(key, value) for key, value in found.items() if isinstance(value, list)]:
        cuts = quantiles(times, n=100, method="inclusive") if len(times) > 1 else [0.0] * 99
        p50, p99, longest = (round(time, 3) for time in (cuts[49], cuts[98], max(times, default=0.0)))
        found[name] = {"n": len(times), "p50": p50, "p99": p99, "max": longest}
    return found


def main() -> None:
    """Runs one slice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--races", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=480)
    arguments = parser.parse_args()
    slices = read_slices()
    left = arguments.races - sum(one["races"] for one in slices)
    if left > 0:
        seed = 2026 + len(slices)
        slices.append({"seed": seed, **describe(asyncio.run(run_slice(seed, arguments.seconds, left)))})
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.write_text("".join(f"{json.dumps(one)}\n" for one in slices))
    done = sum(one["races"] for one in slices)
    breaches = sum(one["late_successes"] for one in slices)
    sys.stdout.write(f"endings: {done} of {arguments.races} races, {breaches} reads begun after OK succeeded\n")
    sys.exit(1 if breaches else 0)


if __name__ == "__main__":
    main()
