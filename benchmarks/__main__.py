"""`python -m benchmarks [name ...]`: Diary against the limit of the machine and against peers, alternating in one run."""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks import contest, diary, letter_lag, office_lists, peer_servers, pgbench, report
from benchmarks.contest import Contest, Goal, Rival
from benchmarks.echo import run_echo
from benchmarks.load import Source, Target, grpc_client, measure
from deploy.local.errors import LocalError
from deploy.local.region import Size

REPORTS = Path(__file__).parents[1] / "docs/reports"
READERS, WRITERS = 16, 8  # units in flight


def main() -> None:
    """Prints progress and the table; exit 0 whatever the figures are, since no clock decides here."""
    arguments = _parser().parse_args()
    try:
        text = asyncio.run(_run(arguments.names or [*LAGS, *CONTESTS], Size(arguments.schools, arguments.students)))
    except LocalError as error:
        sys.exit(f"benchmark: {error}")
    except KeyboardInterrupt:
        sys.exit("benchmark: stopped")
    print(f"\n{text}")
    if arguments.report:
        REPORTS.mkdir(parents=True, exist_ok=True)
        today = time.strftime("%Y-%m-%d")
        (REPORTS / f"bench-{today}.md").write_text(f"# Benchmarks of {today}\n\n{text}\n")


async def _run(names: list[str], size: Size) -> str:
    async with diary.running_region(size) as running:
        # In a thread: the launcher watches over its children in this one.
        return await asyncio.to_thread(_measure, names, running, size)


def _measure(names: list[str], running: diary.Running, size: Size) -> str:
    with ExitStack() as stack:
        bench = Bench(running, peer_servers.Shape(size.students or 0), stack)
        # Lags first: after a contest of writes, notify still has the contest's events to read.
        lags = [LAGS[name](running) for name in names if name in LAGS]
        results = [result for name in names if name in CONTESTS for result in contest.run(CONTESTS[name](bench))]
    return "\n\n".join([report.render(results, bench.shape.students), *lags])


class Bench:
    """What the contests share: the region, and the peers, started when first needed."""

    def __init__(self, running: diary.Running, shape: peer_servers.Shape, stack: ExitStack) -> None:
        self.running = running
        self.shape = shape
        self.stack = stack
        self._django: peer_servers.Peer | None = None

    def django(self) -> peer_servers.Peer:
        """The Django peer."""
        if self._django is None:
            print("loading Django + DRF", flush=True)
            self._django = self.stack.enter_context(peer_servers.run_django(self.running.admin_dsn, self.shape))
        return self._django

    def fastapi(self) -> peer_servers.Peer:
        """The FastAPI peer."""
        print("loading FastAPI + SQLAlchemy", flush=True)
        return self.stack.enter_context(peer_servers.run_fastapi(self.running.admin_dsn, self.shape))

    def ours(self, source: Source, in_flight: int) -> contest.Side:
        """Diary's journal under this load."""
        return _side(diary.target(self.running, source, in_flight))

    def peer(self, peer: peer_servers.Peer, source: Source, in_flight: int) -> contest.Side:
        """A peer under this load."""
        return _side(peer_servers.target(peer, source, self.running.postmaster, in_flight))


def _side(target: Target) -> contest.Side:
    return partial(measure, target)


def diary_week(bench: Bench) -> Contest:
    """GetDiaryWeek with a class write to fifty reads; the echo gets reads alone."""
    django = bench.peer(bench.django(), peer_servers.DjangoWeeks(bench.shape), READERS)
    fastapi = bench.peer(bench.fastapi(), peer_servers.FastApiWeeks(bench.shape), READERS)
    families = diary.list_families(bench.running)
    weeks, answer = diary.find_weeks(bench.running, families)
    source = diary.DiaryWeeks(families, weeks, diary.list_courses(bench.running))
    echo = bench.stack.enter_context(run_echo(answer))
    echo_target = Target(echo.address, grpc_client, diary.BareWeeks(families, weeks), echo.pids, READERS)
    print(f"GetDiaryWeek: {len(families):,} students, weeks {weeks[-1]} to {weeks[0]}, {len(answer):,} bytes", flush=True)
    return Contest(
        "GetDiaryWeek",
        bench.ours(source, READERS),
        [
            Rival("echo", _side(echo_target), floor=Goal(0.25, 4.5), aim=Goal(0.40, 3)),
            Rival("Django + DRF, 2 workers", django, Goal(8), Goal(8)),
            Rival("FastAPI, 2 workers", fastapi, Goal(10), Goal(10)),
        ],
    )


def record_marks(bench: Bench) -> Contest:
    """RecordMarks of a class of 25 against pgbench on its transaction."""
    courses = diary.list_courses(bench.running)
    pgbench.prepare(bench.running.admin_dsn, courses)
    limit = partial(pgbench.measure, bench.running.journal_dsn, bench.running.postmaster, len(courses))
    ours = bench.ours(diary.MarkWrites(courses), WRITERS)
    return Contest("RecordMarks", ours, [Rival("pgbench", limit, Goal(0.35), Goal(0.5))])


def class_write(bench: Bench) -> Contest:
    """RecordClass, against the Django view that does the same without history or events. The CPU is the verdict."""
    django = bench.peer(bench.django(), peer_servers.DjangoClassWrites(bench.shape), WRITERS)
    source = diary.ClassWrites(diary.list_courses(bench.running))
    return Contest(
        "a class's lesson in one call",
        bench.ours(source, WRITERS),
        [Rival("Django + DRF", django, Goal(1, 1 / 3.5), Goal(1, 1 / 4))],
    )


CONTESTS: dict[str, Callable[[Bench], Contest]] = {
    "diary-week": diary_week,
    "record-marks": record_marks,
    "class-write": class_write,
}
# What is measured one after the other rather than at a rate.
LAGS: dict[str, Callable[[diary.Running], str]] = {"letter-lag": letter_lag.run, "office-lists": office_lists.run}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Diary against the limit of the machine and against peers. A few minutes."
    )
    parser.add_argument("names", nargs="*", metavar="name", type=_name, help=f"{', '.join([*CONTESTS, *LAGS])}; all by default")
    parser.add_argument("--schools", type=int, default=4, metavar="N", help="schools of the region (%(default)s)")
    parser.add_argument("--students", type=int, default=2400, metavar="N", help="its students, and the peers' (%(default)s)")
    parser.add_argument("--report", action="store_true", help="also write docs/reports/bench-<date>.md")
    return parser


def _name(name: str) -> str:
    if name not in {**CONTESTS, **LAGS}:
        raise argparse.ArgumentTypeError(f"there is no {name}; there are {', '.join([*CONTESTS, *LAGS])}")
    return name


if __name__ == "__main__":
    main()
