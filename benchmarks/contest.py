"""Ours and its rivals in turn, several rounds in one run, and what came of it. CPU is the verdict, the rate a second column."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.load import Measure

Side = Callable[[int], Measure]  # runs one round; takes its seed


@dataclass(frozen=True)
class Goal:
    """Of CPU beside the rival's: at most so many times its (`most`), or at most 1/`least` of it. `aim` is further still."""

    most: float | None = None
    least: float | None = None
    aim: float | None = None

    def ratio(self, ours: float, theirs: float) -> float:
        """In the goal's own direction."""
        return ours / theirs if self.most is not None else theirs / ours

    def judge(self, ratio: float) -> str:
        """What is reached."""
        if self.aim is not None and self._holds(ratio, self.aim):
            return "aim"
        floor = self.most if self.most is not None else self.least
        return "goal" if floor is not None and self._holds(ratio, floor) else "below"

    def _holds(self, ratio: float, bound: float) -> bool:
        return ratio <= bound if self.most is not None else ratio >= bound

    def __str__(self) -> str:
        sign, floor = ("<=", self.most) if self.most is not None else (">=", self.least)
        assert floor is not None
        aim = "" if self.aim is None else f", aim {show_ratio(self.aim)}"
        return f"{sign} {show_ratio(floor)}{aim}"


@dataclass(frozen=True)
class Row:
    """A line of the report, as it is printed; `work` is one of goals.py. What a contest does not have is empty.

    `cpu_us` and `rate_ratio` are not printed: a contest may judge them by a bound of its own.
    """

    work: str
    ours: str
    against: str = ""
    theirs: str = ""
    ratio: str = ""
    goal: str = ""
    reached: str = ""
    rate: str = ""
    after: str = ""
    driver: str = ""
    cpu_us: float = 0
    rate_ratio: float = 0


@dataclass(frozen=True)
class Rival:
    """What ours is set against."""

    name: str
    side: Side
    goal: Goal


def run(work: str, ours: Side, rivals: Sequence[Rival], rounds: int) -> list[Row]:
    """A B C, C B A, A B C, ...: what disturbs the machine disturbs all alike."""
    sides = {"Diary": ours, **{rival.name: rival.side for rival in rivals}}
    found: dict[str, list[Measure]] = {name: [] for name in sides}
    for seed in range(rounds):
        print(f"{work}, round {seed + 1} of {rounds}", flush=True)
        for name in list(sides) if seed % 2 == 0 else reversed(sides):
            found[name].append(_round(name, sides[name], seed))
    return [_compare(work, rival, found["Diary"], found[rival.name]) for rival in rivals]


def _round(name: str, side: Side, seed: int) -> Measure:
    measure = side(seed)
    print(
        f"  {name:<28} CPU {measure.cpu_us:>7,.0f} us, after it {measure.after_us:>6,.0f}, "
        f"of the driver {measure.driver_us:>5,.0f}   {measure.rps:>7,.0f}/s   p50 {measure.p50_ms:>6,.1f} ms, "
        f"p99 {measure.p99_ms:>6,.1f} ms",
        flush=True,
    )
    return measure


def _compare(work: str, rival: Rival, ours: list[Measure], theirs: list[Measure]) -> Row:
    pairs = list(zip(ours, theirs, strict=True))
    ratio = median(rival.goal.ratio(our.cpu_us, their.cpu_us) for our, their in pairs)
    rate = median(our.rps / their.rps for our, their in pairs)
    mine, limit = middle(ours), middle(theirs)
    return Row(
        work,
        ours=f"{mine.cpu_us:,.0f} us",
        against=rival.name,
        theirs=f"{limit.cpu_us:,.0f} us",
        ratio=show_ratio(ratio),
        goal=str(rival.goal),
        reached=rival.goal.judge(ratio),
        rate=f"{show_ratio(rate)} ({mine.rps:,.0f} : {limit.rps:,.0f}/s)",
        after=f"{mine.after_us:,.0f} us" if mine.after_us else "",
        driver=f"{show_share(mine)} : {show_share(limit)}",
        cpu_us=mine.cpu_us,
        rate_ratio=rate,
    )


def show_ratio(ratio: float) -> str:
    """A share below one, a multiple above."""
    return f"{ratio:.0%}" if ratio < 1 else f"{ratio:.3g}x"


def show_share(measure: Measure) -> str:
    """The driver's share of all CPU of a round, which the machine shares with what is measured."""
    share = measure.driver_us / (measure.driver_us + measure.cpu_us + measure.after_us)
    return "-" if share != share else f"{share:.0%}"


def middle(measures: Sequence[Measure]) -> Measure:
    """Medians."""
    return Measure(*(median(values) for values in zip(*(vars(measure).values() for measure in measures), strict=True)))
