"""`python -m benchmarks [name ...]`: Diary against the limit of the machine and against peers, alternating in one run."""

import argparse
import asyncio
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg

from benchmarks import (
    class_write,
    diary,
    diary_week,
    evening,
    growth,
    journal_page,
    json_gateway,
    letter,
    letter_lag,
    office_lists,
    portal_week,
    record_marks,
    relay,
    report,
    roster_import,
    start,
    weekly_sheets,
)
from benchmarks.bench import Bench
from benchmarks.contest import Row
from benchmarks.goals import GOALS
from deploy.local.errors import LocalError
from deploy.local.region import Size

REPORTS = Path(__file__).parents[1] / "docs/reports"

# In one region, in this order: lags before the contests of writes, whose events notify still has to read afterwards.
IN_A_REGION: dict[str, Callable[[Bench], list[Row]]] = {
    "letter-lag": letter_lag.run,
    "office-lists": office_lists.run,
    "diary-week": diary_week.run,
    "journal-page": journal_page.run,
    "json-gateway": json_gateway.run,
    "portal-week": portal_week.run,
    "record-marks": record_marks.run,
    "class-write": class_write.run,
    "relay": relay.run,
    "letter": letter.run,
    "evening": evening.run,
    "roster-import": roster_import.run,
}
# Without a region, or with one of their own.
ALONE: dict[str, Callable[[argparse.Namespace], list[Row]]] = {
    "weekly-sheets": weekly_sheets.run,
    "start": start.run,
    "growth": growth.run,
}
CONTESTS = {**IN_A_REGION, **ALONE}


def main() -> None:
    """Prints progress and the table. No clock decides, so exit 1 says that a contest broke, not that a goal is missed."""
    given = parser().parse_args()
    names = given.names or list(CONTESTS)
    outcome = Outcome()
    try:
        if IN_A_REGION.keys() & names:
            asyncio.run(_run_in_a_region(names, given, outcome))
        for name in ALONE:
            if name in names:
                outcome.note(name, partial(ALONE[name], given))
    except LocalError as error:
        sys.exit(f"benchmark: {error}")
    except KeyboardInterrupt:
        sys.exit("benchmark: stopped")
    conditions = [report.describe_machine(), *outcome.conditions, f"Medians of {given.rounds} rounds, A B B A."]
    text = report.render(outcome.rows, conditions, outcome.broken)
    print(f"\n{text}")
    if given.report:
        REPORTS.mkdir(parents=True, exist_ok=True)
        today = time.strftime("%Y-%m-%d")
        (REPORTS / f"bench-{today}.md").write_text(f"# Benchmarks of {today}\n\n{text}\n")
    sys.exit(bool(outcome.broken))


@dataclass
class Outcome:
    """What has been measured so far, under which conditions, and which contests broke: the others go on."""

    rows: list[Row] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)

    def note(self, name: str, measure: Callable[[], list[Row]]) -> None:
        """Runs a contest."""
        print(f"== {name}", flush=True)
        try:
            self.rows += measure()
        except (Exception, SystemExit) as error:  # a call that failed, a server that did not start
            traceback.print_exception(error)
            self.broken[name] = " ".join(str(error).split())[:200]


async def _run_in_a_region(names: list[str], given: argparse.Namespace, outcome: Outcome) -> None:
    async with diary.running_region(Size(given.schools, given.students)) as running:
        # In a thread: the launcher watches over its children in this one.
        await asyncio.to_thread(_measure, names, running, given, outcome)


def _measure(names: list[str], running: diary.Running, given: argparse.Namespace, outcome: Outcome) -> None:
    with psycopg.connect(running.admin_dsn) as database:
        [(buffers,)] = database.execute("SHOW shared_buffers").fetchall()
    outcome.conditions.append(f"A region of {given.schools} schools, {given.students:,} students; shared_buffers {buffers}.")
    with ExitStack() as stack:
        bench = Bench(running, given.students, given.rounds, given.share, stack)
        for name in IN_A_REGION:
            if name in names:
                outcome.note(name, partial(IN_A_REGION[name], bench))


def parser() -> argparse.ArgumentParser:
    """Of the command line."""
    works = {name: "; ".join(goal.work for goal in GOALS if goal.contest == name) for name in CONTESTS}
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Diary against the limit of the machine and against peers. What each is set against: benchmarks/README.md.",
        epilog="contests:\n" + "\n".join(f"  {name:<22}{work}" for name, work in works.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="name", type=_name, help="contests to run, all by default; see below")
    parser.add_argument("--schools", type=int, default=4, metavar="N", help="schools of the region (%(default)s)")
    parser.add_argument("--students", type=int, default=2400, metavar="N", help="its students, and the peers' (%(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="N", help="rounds of each contest; fewer than 5 show nothing (5)"
    )
    parser.add_argument("--share", type=float, default=1, metavar="X", help="of the usual units of a round (1)")
    parser.add_argument(
        "--marks", type=_sizes, default=[0.3, 3], metavar="M,M", help="growth: millions of marks, the first set against (0.3,3)"
    )
    parser.add_argument("--shared-buffers", default="6GB", metavar="SIZE", help="growth: of its Postgres (%(default)s)")
    parser.add_argument("--report", action="store_true", help="also write docs/reports/bench-<date>.md")
    return parser


def _sizes(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


def _name(name: str) -> str:
    if name not in CONTESTS:
        raise argparse.ArgumentTypeError(f"there is no {name}; there are {', '.join(CONTESTS)}")
    return name


if __name__ == "__main__":
    main()
