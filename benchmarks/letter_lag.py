"""From a committed mark to notify's handler, and to the mail server's 250: how long a family waits for its letter."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from statistics import quantiles

import grpc
import nats
import psycopg
from nats.aio.msg import Msg

from benchmarks import diary
from benchmarks.bench import Bench
from benchmarks.contest import Row
from benchmarks.diary import Course, record_marks
from benchmarks.letter import NEWEST

LETTERS = 200
PER_SECOND = 10  # an evening of a town

# The events of the marks in the order of the calls that recorded them, with when notify handled each and its letter left.
_TIMES = """
SELECT extract(epoch FROM i.handle_time)::float8, extract(epoch FROM min(d.send_time))::float8
FROM journal.outbox o
LEFT JOIN notify.inbox i ON i.event_id = o.event_id
LEFT JOIN notify.news n ON n.school_id = o.school_id AND n.fact_time = o.create_time
LEFT JOIN notify.delivery_news k ON k.school_id = n.school_id AND k.news_id = n.news_id
LEFT JOIN notify.deliveries d ON d.school_id = k.school_id AND d.delivery_id = k.delivery_id
WHERE o.subject = 'diary.journal.v1.MarksRecorded' AND o.event_number > %s
GROUP BY o.event_number, i.handle_time ORDER BY o.event_number
"""


def run(bench: Bench) -> list[Row]:
    """Records marks at a steady pace; the lag begins when the call has answered, so when the mark is committed."""
    running, course = bench.running, diary.teach(bench.running, bench.courses[:1])[0]
    with (
        psycopg.connect(running.admin_dsn, autocommit=True) as database,
        diary.addresses(database, course.student_ids) as families,
    ):
        diary.settle(running)
        [(newest,)] = database.execute(NEWEST).fetchall()
        letters = bench.units(LETTERS)
        print(f"letters: {letters} marks at {PER_SECOND}/s, {families} families with an address", flush=True)
        committed = _record(running.address, course, letters)
        diary.settle(running)
        times = database.execute(_TIMES, (newest,)).fetchall()
    bus = asyncio.run(_measure_bus(running.region.nats_url("operator")))
    handled = [(handle - commit) * 1000 for commit, (handle, _) in zip(committed, times, strict=True) if handle]
    sent = [(send - commit) * 1000 for commit, (_, send) in zip(committed, times, strict=True) if send]
    return [
        _row("Committed -> notify's handler", handled, 25, bus),
        _row("Committed -> accepted by SMTP", sent, 1_000, bus),
    ]


def _row(work: str, lags: Sequence[float], goal_ms: int, bus: Sequence[float]) -> Row:
    reached = "goal" if _p(lags, 99) <= goal_ms else "below"
    return Row(work, _show(lags), "the bus alone", _show(bus), "", f"p99 <= {goal_ms:,} ms", reached)


def _show(lags: Sequence[float]) -> str:
    return f"p50 {_p(lags, 50):,.1f}, p99 {_p(lags, 99):,.1f} ms of {len(lags)}"


def _record(address: str, course: Course, letters: int) -> list[float]:
    """When each call had answered."""
    rng = random.Random(7)
    committed = []
    with grpc.insecure_channel(address) as channel:
        for number in range(letters):
            began = time.monotonic()
            student = course.student_ids[number % len(course.student_ids)]
            call = record_marks(replace(course, student_ids=(student,)), rng)
            method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(call.path)
            method(call.body, metadata=call.headers)
            committed.append(time.time())
            time.sleep(max(0.0, 1 / PER_SECOND - (time.monotonic() - began)))
    return committed


async def _measure_bus(url: str) -> list[float]:
    """Publish to JetStream -> the subscriber's callback, milliseconds."""
    client = await nats.connect(url)
    stream = client.jetstream()
    await stream.add_stream(name="bench", subjects=["bench.lag"])
    lags: list[float] = []

    async def note(message: Msg) -> None:
        lags.append((time.monotonic() - float(message.data)) * 1000)

    await stream.subscribe("bench.lag", cb=note)
    for _ in range(LETTERS):
        await stream.publish("bench.lag", repr(time.monotonic()).encode())
    await asyncio.sleep(0.2)
    await stream.delete_stream("bench")
    await client.close()
    return lags


def _p(values: Sequence[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]
