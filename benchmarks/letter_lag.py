"""From a committed mark to notify's handler, and to the mail server's 250: how long a family waits for its letter."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from statistics import quantiles
from typing import Any

import grpc
import nats
import psycopg
from nats.aio.msg import Msg

from benchmarks import diary
from benchmarks.bench import Bench
from benchmarks.contest import Row
from benchmarks.diary import Course, record_marks

LETTERS = 200
PER_SECOND = 10  # an evening of a town
_WAIT_SECONDS = 60

# A guardian of each student of a course, given an address.
_ADDRESSES = """
INSERT INTO notify.contact_points (account_id, kind, address, source, update_time)
SELECT DISTINCT ON (object_id) account_id, 'email', account_id || '@bench.example', 'application', now()
FROM notify.relations WHERE school_id = %s AND kind = 3 AND role = 4 AND coalesce(valid_to_time, 'infinity') > now()
  AND object_id = ANY(%s::uuid[])
ON CONFLICT DO NOTHING
RETURNING account_id
"""
# The events of the marks in the order of the calls that recorded them, with when notify handled each and its letter left.
_TIMES = """
SELECT extract(epoch FROM i.handle_time)::float8, extract(epoch FROM min(d.send_time))::float8
FROM journal.outbox o
LEFT JOIN notify.inbox i ON i.event_id = o.event_id
LEFT JOIN notify.deliveries d ON d.event_id = o.event_id
WHERE o.subject = 'diary.journal.v1.MarksRecorded' AND o.event_number > %s
GROUP BY o.event_number, i.handle_time ORDER BY o.event_number
"""
_NEWEST = "SELECT coalesce(max(event_number), 0) FROM journal.outbox"


def run(bench: Bench) -> list[Row]:
    """Records marks at a steady pace; the lag begins when the call has answered, so when the mark is committed."""
    running, course = bench.running, diary.teach(bench.running, bench.courses[:1])[0]
    with psycopg.connect(running.admin_dsn, autocommit=True) as database:
        families = database.execute(_ADDRESSES, (course.school_id, list(course.student_ids))).fetchall()
        if not families:
            raise SystemExit("benchmark: notify knows no guardian of the course; its projection is empty")
        diary.settle(running)
        [(newest,)] = database.execute(_NEWEST).fetchall()
        letters = bench.units(LETTERS)
        print(f"letters: {letters} marks at {PER_SECOND}/s, {len(families)} families with an address", flush=True)
        committed = _record(running.address, course, letters)
        times = _wait_for_times(database, newest, letters)
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


def _wait_for_times(database: "psycopg.Connection[Any]", newest: int, letters: int) -> list[tuple[float, float]]:
    """When no letter has come for two seconds."""
    found: list[tuple[float, float]] = []
    for _ in range(_WAIT_SECONDS // 2):
        before = found
        found = database.execute(_TIMES, (newest,)).fetchall()
        if found == before and len(found) == letters and any(sent for _, sent in found):
            return found
        time.sleep(2)
    raise SystemExit("benchmark: no letter was sent; is the region's mail server up?")


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
