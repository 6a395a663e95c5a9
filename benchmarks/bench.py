"""What the contests share: the region, how much is asked of each, and the peers, started when first needed."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property

from benchmarks import contest, diary, peer_servers
from benchmarks.diary import Course, Family
from benchmarks.load import Source, Target, measure


class Bench:
    """One run. `share`: of the usual number of units in each round."""

    def __init__(self, running: diary.Running, students: int, rounds: int, share: float, stack: ExitStack) -> None:
        self.running = running
        self.shape = peer_servers.Shape(students)
        self.rounds = rounds
        self.share = share
        self.stack = stack

    def units(self, usual: int) -> int:
        """How many units a round has."""
        return max(16, round(usual * self.share))

    @cached_property
    def django(self) -> peer_servers.Peer:
        """The Django peer."""
        print("loading Django + DRF", flush=True)
        return self.stack.enter_context(peer_servers.run_django(self.running.admin_dsn, self.shape))

    @cached_property
    def fastapi(self) -> peer_servers.Peer:
        """The FastAPI peer."""
        print("loading FastAPI + SQLAlchemy", flush=True)
        return self.stack.enter_context(peer_servers.run_fastapi(self.running.admin_dsn, self.shape))

    @cached_property
    def families(self) -> list[Family]:
        """A guardian of each student."""
        return diary.list_families(self.running)

    @cached_property
    def courses(self) -> tuple[Course, ...]:
        """Courses of full classes; a round needs them with new tokens (`diary.teach`)."""
        return diary.list_courses(self.running)

    def peer(self, peer: peer_servers.Peer, source: Source, in_flight: int, units: int) -> contest.Side:
        """A peer under this load."""
        return side(lambda _: peer_servers.target(peer, source, self.running.postmaster, in_flight, self.units(units)))

    def run(self, work: str, ours: contest.Side, rivals: "list[contest.Rival]") -> list[contest.Row]:
        """Ours and its rivals in turn."""
        return contest.run(work, ours, rivals, self.rounds)


def side(target: Callable[[int], Target]) -> contest.Side:
    """A side whose target is made anew for each round, of its seed: tokens live five minutes."""
    return lambda seed: measure(target(seed), seed)
