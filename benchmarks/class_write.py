"""A class's lesson in one call, beside the Django view that does the same without history or events; and all it sets off."""

from benchmarks import diary, peer_servers
from benchmarks.bench import Bench, side
from benchmarks.contest import Goal, Rival, Row, middle
from benchmarks.load import Measure
from benchmarks.record_marks import WRITERS

_UNITS = 240
# Service, Postgres, bus and consumers for one at 9e5f545, on the machine and day of that report, two calls.
_RECORDED_US = 13_300


def run(bench: Bench) -> list[Row]:
    """RecordClass: topic, homework, marks of 25 and two absences."""
    found: list[Measure] = []

    def ours(seed: int) -> Measure:
        source = diary.ClassWrites(diary.teach(bench.running, bench.courses))
        measured = side(lambda _: diary.target(bench.running, source, WRITERS, bench.units(_UNITS), writes=True))(seed)
        found.append(measured)
        return measured

    django = bench.peer(bench.django, peer_servers.DjangoClassWrites(bench.shape), WRITERS, _UNITS)
    rows = bench.run("A class's lesson", ours, [Rival("Django + DRF, 2 workers", django, Goal(least=3.5))])
    whole = middle(found).cpu_us + middle(found).after_us
    return [*rows, _all_in_all(whole)]


def _all_in_all(whole_us: float) -> Row:
    goal = Goal(most=0.5)
    ratio = goal.ratio(whole_us, _RECORDED_US)
    return Row(
        "All that a class write costs",
        f"{whole_us:,.0f} us",
        "itself at 9e5f545, recorded where an echo cost 210-280 us",
        f"{_RECORDED_US:,} us",
        f"{ratio:.0%}",
        str(goal),
        goal.judge(ratio),
    )
