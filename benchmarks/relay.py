"""The outbox's relay, batches of 100 rows that lie in the table, beside nats-py's publish_async of the same bytes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit
from uuid import uuid4

import nats
import psycopg

from benchmarks.bench import Bench
from benchmarks.contest import Goal, Rival, Row
from benchmarks.cpu import Part
from benchmarks.load import Measure
from benchmarks.works import measure_work
from chassis.clock import SystemClock
from chassis.db import Database
from chassis.migrate import migrate
from chassis.outbox import Relay

_BATCH, _EVENTS, _BYTES = 100, 5_000, 3_000
_DATABASE, _STREAM, _SUBJECT = "bench_relay", "diary-bench", "diary.bench.v1.BenchRecorded"
_FILL = """
INSERT INTO notify.outbox (event_id, subject, payload, create_time)
SELECT gen_random_uuid(), %s, convert_to(repeat('p', %s), 'UTF8'), now() - interval '1 hour'
FROM generate_series(1, %s)
"""


@dataclass(frozen=True)
class Relayed:
    """A relay of its own over a table that was filled. A unit is all of it."""

    dsn: str
    url: str
    warm_up: int = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        database = await Database.connect(self.dsn, "notify")
        client = await nats.connect(self.url)
        relay = Relay(database, client.jetstream(), "bench", SystemClock())

        async def publish() -> None:
            running = asyncio.create_task(relay.run())
            while True:
                await asyncio.sleep(0.05)
                if not await _has_unpublished(database):
                    break
            running.cancel()
            await asyncio.wait([running])

        yield publish
        await client.close()
        await database.close()


async def _has_unpublished(database: Database) -> bool:
    async with database.region() as connection:
        return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM outbox WHERE published_time IS NULL)"))


@dataclass(frozen=True)
class Published:
    """nats-py alone, with the headers of the relay. A unit is all events."""

    url: str
    events: int
    warm_up: int = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        client = await nats.connect(self.url)
        stream, payload = client.jetstream(), b"p" * _BYTES

        async def publish() -> None:
            for _ in range(0, self.events, _BATCH):
                futures = []
                for _ in range(_BATCH):
                    headers = {"Nats-Msg-Id": str(uuid4()), "Diary-School": "", "Diary-Time": "", "Diary-Subject": _SUBJECT}
                    futures.append(await stream.publish_async(_SUBJECT, payload, wait_stall=5, stream=_STREAM, headers=headers))
                await asyncio.wait(futures)

        yield publish
        await client.close()


def run(bench: Bench) -> list[Row]:
    """CPU of the publishing process and, for ours, of Postgres; the bus does the same for both."""
    region, events = bench.running.region, bench.units(_EVENTS) // _BATCH * _BATCH
    admin_dsn, dsn = (
        urlsplit(given)._replace(path=f"/{_DATABASE}").geturl() for given in (region.admin_dsn, region.app_dsn("notify"))
    )
    url = region.nats_url("operator")
    _make_database(region.admin_dsn, admin_dsn, dsn)
    asyncio.run(_make_stream(url))
    idle = tuple(f"diary_{service}_app" for service in ("access", "journal", "documents"))

    def ours(_: int) -> Measure:
        with psycopg.connect(admin_dsn, autocommit=True) as database:
            database.execute("TRUNCATE notify.outbox")
            database.execute(_FILL, (_SUBJECT, _BYTES, events))
        return _for_each(measure_work(Relayed(dsn, url), 1, 1, Part((bench.running.postmaster,), without=idle)), events)

    def limit(_: int) -> Measure:
        return _for_each(measure_work(Published(url, events), 1, 1, Part(())), events)

    return bench.run("Outbox relay, batches of 100", ours, [Rival("nats-py publish_async", limit, Goal(most=1 / 0.45))])


def _for_each(measured: Measure, events: int) -> Measure:
    return replace(measured, rps=measured.rps * events, cpu_us=measured.cpu_us / events)


def _make_database(server_dsn: str, admin_dsn: str, dsn: str) -> None:
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {_DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {_DATABASE}")
    asyncio.run(migrate(admin_dsn, dsn, "notify"))


async def _make_stream(url: str) -> None:
    client = await nats.connect(url)
    await client.jetstream().add_stream(name=_STREAM, subjects=["diary.bench.v1.>"])
    await client.close()
