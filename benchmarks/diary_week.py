"""GetDiaryWeek over gRPC: a first visit and after a warm-up, beside a bare grpc.aio echo of the same bytes, and the peers.

A unit is a week, and one in 51 a class's RecordMarks; the echo gets the weeks alone. Warm: 200 families whose tokens are known,
four of five weeks the present one. First visit: each family's token is new, and each class's week is asked for once.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

import grpc

from benchmarks import diary, peer_servers
from benchmarks.bench import Bench, side
from benchmarks.contest import Goal, Rival, Row, show_ratio
from benchmarks.diary import Course, Family
from benchmarks.echo import run_echo
from benchmarks.load import READS_PER_WRITE, Client, Target, Unit, draw_week, grpc_client

READERS = 16  # units in flight
_FAMILIES, _WRITES, _WARM, _FIRST = 200, 5, 3_200, 192
# Measured outside this run (goals.md): RosarioSIS, a school system in PHP, beside an echo on the same machine.
_ROSARIO_WEEKS, _ROSARIO_ECHO, _ROSARIO_GOAL = 28, 5_000, 40


@dataclass(frozen=True)
class Weeks:
    """Weeks as families open them; with courses a class write to fifty. Each loop first has every family open a week, and
    writes: a region's connections have met both long ago.
    """

    families: tuple[Family, ...]
    weeks: tuple[str, ...]
    courses: tuple[Course, ...] = ()

    @property
    def warm_up(self) -> int:
        return len(self.families) + _WRITES

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        new, unwritten = list(self.families), _WRITES if self.courses else 0

        async def read_or_write(client: Client) -> None:
            nonlocal unwritten
            if new:
                await client.send(diary.diary_week(new.pop(), self.weeks[0]))
            elif self.courses and (unwritten or rng.randrange(READS_PER_WRITE + 1) == 0):
                unwritten = max(0, unwritten - 1)
                await diary.send_marks(client, diary.record_marks(rng.choice(self.courses), rng))
            else:
                week = self.weeks[draw_week(len(self.weeks), rng)]
                await client.send(diary.diary_week(rng.choice(self.families), week))

        return read_or_write


@dataclass(frozen=True)
class FirstVisits:
    """Each of these once, after visits of other families, which open the service's connections."""

    visits: tuple[tuple[Family, str], ...]
    others: tuple[tuple[Family, str], ...]

    @property
    def warm_up(self) -> int:
        return len(self.others)

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        mine = [*self.visits[number::of], *self.others]

        async def read(client: Client) -> None:
            await client.send(diary.diary_week(*mine.pop()))

        return read


def run(bench: Bench) -> list[Row]:
    """First visits first, while there are any."""
    weeks = diary.list_weeks(bench.running)
    rng = random.Random(3)
    known = [family for family in bench.families if family.class_id == bench.families[0].class_id]
    answer = _usual_answer(bench, known, weeks[0])
    visits = _plan_visits([family for family in bench.families if family.class_id != known[0].class_id], weeks, rng)
    size = min(bench.units(_FIRST), len(visits) // bench.rounds) // READERS * READERS
    echo = bench.stack.enter_context(run_echo(answer))
    print(f"GetDiaryWeek: {len(bench.families):,} students, weeks {weeks[-1]} to {weeks[0]}, {len(answer):,} bytes", flush=True)

    def first_visits(seed: int) -> FirstVisits:
        chosen = visits[seed * size : (seed + 1) * size]
        families = diary.sign_in(bench.running, [family for family, _ in chosen])
        others = tuple((family, weeks[0]) for family in diary.sign_in(bench.running, known[:10]))
        return FirstVisits(tuple(zip(families, (week for _, week in chosen), strict=True)), others)

    def warm(seed: int, *, writes: bool) -> Weeks:
        families = random.Random(seed).sample(bench.families, min(_FAMILIES, len(bench.families)))
        courses = diary.teach(bench.running, bench.courses) if writes else ()
        return Weeks(diary.sign_in(bench.running, families), weeks, courses)

    def bare(source: Weeks | FirstVisits) -> Target:
        return Target(echo.address, grpc_client, source, echo.part, READERS, bench.units(_WARM))

    first = bench.run(
        "GetDiaryWeek, first visit",
        side(lambda seed: diary.target(bench.running, first_visits(seed), READERS, size)),
        [Rival("grpc.aio echo", side(lambda seed: bare(warm(seed, writes=False))), Goal(most=5.5, aim=4.5))],
    )
    warmed = bench.run(
        "GetDiaryWeek, warm",
        side(lambda seed: diary.target(bench.running, warm(seed, writes=True), READERS, bench.units(_WARM))),
        [
            Rival("grpc.aio echo", side(lambda seed: bare(warm(seed, writes=False))), Goal(most=3.5, aim=3)),
            Rival(
                "Django + DRF, 2 workers",
                bench.peer(bench.django, peer_servers.DjangoWeeks(bench.shape), READERS, 320),
                Goal(least=15),
            ),
            Rival(
                "FastAPI, 2 workers",
                bench.peer(bench.fastapi, peer_servers.FastApiWeeks(bench.shape), READERS, 640),
                Goal(least=10),
            ),
        ],
    )
    return [*first, *warmed, _rosario(warmed[0])]


def _plan_visits(families: Sequence[Family], weeks: Sequence[str], rng: random.Random) -> list[tuple[Family, str]]:
    """A family for every week of every class."""
    by_class: dict[str, list[Family]] = {}
    for family in families:
        by_class.setdefault(family.class_id, []).append(family)
    visits = [(rng.choice(members), week) for members in by_class.values() for week in weeks]
    rng.shuffle(visits)
    return visits


def _usual_answer(bench: Bench, families: Sequence[Family], week: str) -> bytes:
    """The answer of middling size: the echo's bytes."""
    with grpc.insecure_channel(bench.running.address) as channel:
        method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(diary.GET_DIARY_WEEK)
        calls = [diary.diary_week(family, week) for family in diary.sign_in(bench.running, families)]
        answers = [method(call.body, metadata=call.headers) for call in calls]
    return next(answer for answer in answers if len(answer) == median_low(map(len, answers)))


def _rosario(row: Row) -> Row:
    """By the rate beside the echo's, which is all that was recorded of it."""
    times = row.rate_ratio / (_ROSARIO_WEEKS / _ROSARIO_ECHO)
    return Row(
        "GetDiaryWeek, warm",
        row.ours,
        f"RosarioSIS, recorded elsewhere: {_ROSARIO_WEEKS}/s where the echo gave {_ROSARIO_ECHO:,}",
        ratio=f"{show_ratio(times)} by rate",
        goal=f">= {_ROSARIO_GOAL}x",
        reached="goal" if times >= _ROSARIO_GOAL else "below",
    )
