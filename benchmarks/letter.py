"""A letter of marks, from its event to the mail server's yes, by CPU, beside bare aiosmtplib that hands over ready bytes.

notify stands still while classes are recorded, and goes on when all events wait for it: what is counted then is notify, the
journal that it asks, Postgres and the bus. The mail server is counted for neither.
"""

import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any

import aiosmtplib
import grpc
import psycopg

from benchmarks import diary
from benchmarks.bench import Bench
from benchmarks.contest import Goal, Rival, Row
from benchmarks.cpu import Part, idle_share
from benchmarks.load import IDLE_SECONDS, Measure
from benchmarks.works import measure_work

_CLASSES, _GOAL_US = 10, 4_000
_PUBLISHED = "SELECT NOT EXISTS (SELECT FROM journal.outbox WHERE published_time IS NULL)"
# Letters of the events since that have left, and when the last has.
LETTERS = """
SELECT count(d.send_time), coalesce(max(extract(epoch FROM d.send_time))::float8, 0) FROM journal.outbox o
JOIN notify.news n ON n.school_id = o.school_id AND n.fact_time = o.create_time
JOIN notify.delivery_news k ON k.school_id = n.school_id AND k.news_id = n.news_id
JOIN notify.deliveries d ON d.school_id = k.school_id AND d.delivery_id = k.delivery_id
WHERE o.event_number > %s
"""
NEWEST = "SELECT coalesce(max(event_number), 0) FROM journal.outbox"


@dataclass(frozen=True)
class Handed:
    """One connection, the same letter again and again."""

    port: int
    letter: bytes
    warm_up: int = 3

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=self.port, use_tls=False, start_tls=False)

        async def send() -> None:
            await client.mail("diary@diary.localhost")
            await client.rcpt("family@bench.example")
            await client.data(self.letter)

        async with client:
            yield send


def run(bench: Bench) -> list[Row]:
    """Rounds of a few classes each."""
    running, courses = bench.running, bench.courses[: max(1, bench.units(_CLASSES * 100) // 100)]

    def limit(_: int) -> Measure:
        letter = next((running.region.state.folder / "mail").glob("*.eml")).read_bytes()
        return measure_work(Handed(running.region.ports["smtp"], letter), bench.units(400), 1, Part(()))

    with (
        psycopg.connect(running.admin_dsn, autocommit=True) as database,
        diary.addresses(database, {student for course in courses for student in course.student_ids}),
    ):
        bare = Rival("bare aiosmtplib, ready bytes", limit, Goal(most=20))
        ours = partial(_measure, running, database, courses)
        [row] = bench.run("A letter, from event to accepted", ours, [bare])
    reached = "goal" if row.cpu_us <= _GOAL_US else "below"
    return [replace(row, goal=f"<= {_GOAL_US:,} us", reached=reached)]


def _measure(
    running: diary.Running, database: "psycopg.Connection[Any]", courses: "tuple[diary.Course, ...]", seed: int
) -> Measure:
    diary.settle(running)
    [(newest,)] = database.execute(NEWEST).fetchall()
    notify, part = running.pids["notify"], running.whole("notify", "journal", "journal-2", "nats")
    [idle] = idle_share([part], IDLE_SECONDS)
    os.kill(notify, signal.SIGSTOP)
    try:
        _record_classes(running, courses, Random(seed))
        diary.wait_until(lambda: database.execute(_PUBLISHED).fetchone() == (True,))
        before, began = part.seconds(), time.time()
    finally:
        os.kill(notify, signal.SIGCONT)
    diary.settle(running)
    [(letters, ended)] = database.execute(LETTERS, (newest,)).fetchall()
    spent = part.seconds() - before - (time.time() - began) * idle
    if letters == 0:
        raise SystemExit("benchmark: no letter was written; does notify still make one of each mark?")
    return Measure(letters / (ended - began), spent / letters * 1e6, 0, 0, float("nan"), float("nan"))


def _record_classes(running: diary.Running, courses: "tuple[diary.Course, ...]", rng: Random) -> None:
    """A mark for each student of each course."""
    with grpc.insecure_channel(running.address) as channel:
        for course in diary.teach(running, courses):
            call = diary.record_marks(course, rng)
            method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(call.path)
            method(call.body, metadata=call.headers)
