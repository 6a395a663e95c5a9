"""From a recorded mark to notify's handler, and to the mail server's 250: how long a family waits for its letter."""

import asyncio
import random
import time
from collections.abc import Sequence
from statistics import quantiles

import grpc
import nats
import psycopg
from nats.aio.msg import Msg

from benchmarks.diary import Course, Running, list_courses, record_marks

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
_LAGS = """
SELECT extract(epoch FROM create_time - fact_time)::float * 1000, extract(epoch FROM send_time - fact_time)::float * 1000
FROM notify.deliveries WHERE fact_time >= %s AND send_time IS NOT NULL
"""


def run(running: Running) -> str:
    """Records marks at a steady pace and reads the lags that notify kept. Needs a region with its mail server."""
    course = list_courses(running)[0]
    with psycopg.connect(running.admin_dsn, autocommit=True) as database:
        families = database.execute(_ADDRESSES, (course.school_id, list(course.student_ids))).fetchall()
        if not families:
            raise SystemExit("benchmark: notify knows no guardian of the course; its projection is empty")
        row = database.execute("SELECT now()").fetchone()
        assert row is not None
        print(f"letters: {LETTERS} marks at {PER_SECOND}/s, {len(families)} families with an address", flush=True)
        _record(running.address, course)
        lags = _wait_for_lags(database, row[0])
    bus = asyncio.run(_measure_bus(running.nats_url))
    lines = [
        ("the bus alone", bus, ""),
        ("recorded -> notify's handler", [handled for handled, _ in lags], "goal p99 <= 25 ms"),
        ("recorded -> accepted by SMTP", [sent for _, sent in lags], "goal p99 <= 1,000 ms"),
    ]
    rows = [
        f"  {name:<30} p50 {_p(values, 50):>6.1f} ms, p99 {_p(values, 99):>7.1f} ms   {goal}" for name, values, goal in lines
    ]
    return "\n".join([f"Letters of {len(lags)} marks:", *rows])


def _record(address: str, course: Course) -> None:
    rng = random.Random(7)
    with grpc.insecure_channel(address) as channel:
        for number in range(LETTERS):
            began = time.monotonic()
            student = course.student_ids[number % len(course.student_ids)]
            one = Course(course.school_id, course.course_id, course.account_id, (student,), course.lesson_ids, course.headers)
            call = record_marks(one, rng)
            method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(call.path)
            method(call.body, metadata=call.headers)
            time.sleep(max(0.0, 1 / PER_SECOND - (time.monotonic() - began)))


def _wait_for_lags(database: "psycopg.Connection[tuple[object, ...]]", since: object) -> list[tuple[float, float]]:
    """The lags, when no letter has come for a second."""
    found: list[tuple[float, float]] = []
    for _ in range(_WAIT_SECONDS):
        before = len(found)
        found = [(float(str(h)), float(str(s))) for h, s in database.execute(_LAGS, (since,)).fetchall()]
        if found and len(found) == before:
            return found
        time.sleep(1)
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
