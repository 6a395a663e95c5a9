"""RecordMarks of a class of 25, history and outbox included, beside pgbench on the same transaction."""

from benchmarks import diary, pgbench
from benchmarks.bench import Bench, side
from benchmarks.contest import Goal, Rival, Row
from benchmarks.load import Measure

WRITERS = 8  # units in flight
_UNITS = 320


def run(bench: Bench) -> list[Row]:
    """Postgres is counted whole on both sides, but for what it does for the consumers."""
    running = bench.running
    pgbench.prepare(running.admin_dsn, bench.courses)

    def limit(seed: int) -> Measure:
        dsn, postgres = running.region.app_dsn("journal"), diary.postgres_of_journal(running)
        measured = pgbench.measure(dsn, postgres, len(bench.courses), bench.units(_UNITS * 3), seed)
        diary.settle(running)  # its events are published too, which must not be done beside ours
        return measured

    def ours(seed: int) -> Measure:
        source = diary.MarkWrites(diary.teach(running, bench.courses))
        return side(lambda _: diary.target(running, source, WRITERS, bench.units(_UNITS), writes=True))(seed)

    return bench.run("RecordMarks of 25", ours, [Rival("pgbench", limit, Goal(least=0.55))])
