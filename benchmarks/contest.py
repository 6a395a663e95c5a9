"""Ours and its rivals in turn, several rounds in one run, and what came of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.load import Measure

ROUNDS = 5

Side = Callable[[int], Measure]  # runs one round; takes its seed


@dataclass(frozen=True)
class Goal:
    """At least this share or multiple of the rival's rate; where given, at most this multiple of its CPU."""

    rate: float
    cpu: float | None = None

    def is_met(self, rate: float, cpu: float) -> bool:
        return rate >= self.rate and (self.cpu is None or cpu <= self.cpu)

    def __str__(self) -> str:
        rate = f"{self.rate:.0%}" if self.rate < 1 else f"{self.rate:g}x"
        return rate if self.cpu is None else f"{rate}, CPU {self.cpu:.2g}x"


@dataclass(frozen=True)
class Rival:
    """What ours is set against; goals.md gives the floor and, where it differs, the aim."""

    name: str
    side: Side
    floor: Goal
    aim: Goal


@dataclass(frozen=True)
class Contest:
    """One kind of work."""

    work: str
    ours: Side
    rivals: Sequence[Rival]


@dataclass(frozen=True)
class Result:
    """Medians over the rounds; `ratio` and `cpu_ratio` are medians of the ratios within each round."""

    work: str
    rival: Rival
    ours: Measure
    limit: Measure
    ratio: float
    cpu_ratio: float

    @property
    def verdict(self) -> str:
        """Which of the two goals is reached."""
        if self.rival.aim.is_met(self.ratio, self.cpu_ratio):
            return "aim"
        return "floor" if self.rival.floor.is_met(self.ratio, self.cpu_ratio) else "below"


def run(contest: Contest) -> list[Result]:
    """Ours, rival, rival, ours, rival, rival, ...: what disturbs the machine disturbs all alike."""
    ours: list[Measure] = []
    theirs: list[list[Measure]] = [[] for _ in contest.rivals]
    for seed in range(ROUNDS):
        print(f"{contest.work}, round {seed + 1} of {ROUNDS}", flush=True)
        ours.append(_round("Diary", contest.ours, seed))
        for rival, measures in zip(contest.rivals, theirs, strict=True):
            measures.append(_round(rival.name, rival.side, seed))
    return [_compare(contest.work, rival, ours, measures) for rival, measures in zip(contest.rivals, theirs, strict=True)]


def _round(name: str, side: Side, seed: int) -> Measure:
    measure = side(seed)
    print(
        f"  {name:<28} {measure.rps:>8,.0f}/s   CPU {measure.cpu_us:>7,.0f} us, of the driver {measure.driver_us:>5,.0f} us"
        f"   p50 {measure.p50_ms:>6,.1f} ms, p99 {measure.p99_ms:>6,.1f} ms",
        flush=True,
    )
    return measure


def _compare(work: str, rival: Rival, ours: list[Measure], theirs: list[Measure]) -> Result:
    pairs = list(zip(ours, theirs, strict=True))
    ratio = median(our.rps / their.rps for our, their in pairs)
    cpu_ratio = median(our.cpu_us / their.cpu_us for our, their in pairs)
    return Result(work, rival, _middle(ours), _middle(theirs), ratio, cpu_ratio)


def _middle(measures: list[Measure]) -> Measure:
    return Measure(*(median(values) for values in zip(*(vars(measure).values() for measure in measures), strict=True)))
