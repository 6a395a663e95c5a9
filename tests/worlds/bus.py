"""access as a publisher and documents as a consumer of events, on real servers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import nats
import pytest_asyncio
from nats.js import JetStreamContext
from prometheus_client import REGISTRY
from pydantic import SecretStr

from chassis import events, jobs, outbox
from chassis.clock import Clock, SystemClock
from chassis.consumer import Consumer, by_lane
from chassis.db import Committed, Connection, Database
from chassis.settings import ServiceSettings
from diary.access.v1 import events_pb2
from tests.support.backends import Clone, PostgresServer

SUBJECT = events_pb2.GrantEnded.DESCRIPTOR.full_name
OTHER = events_pb2.SessionsEnded.DESCRIPTOR.full_name
CLOCK = SystemClock()
Handle = Callable[[events.Event], Awaitable[None]]


def from_now(step: timedelta) -> str:
    """A moment as a header has it."""
    return (CLOCK.now() + step).isoformat()


@dataclass
class Bus:
    """access as the publisher and documents as the consumer, on real servers."""

    clone: Clone
    publisher: Database
    consumer: Database
    jetstream: JetStreamContext
    handled: list[str] = field(default_factory=list)

    async def tell(self, count: int = 1) -> list[str]:
        """Writes facts, one transaction each; returns their grants' ids."""
        school_id = uuid4()
        grants = [str(uuid4()) for _ in range(count)]
        for grant in grants:
            async with self.publisher.school(school_id) as connection, connection.transaction():
                await outbox.add(connection, CLOCK, events_pb2.GrantEnded(school_id=str(school_id), grant_id=grant), school_id)
        return grants

    async def on_grant_ended(self, event: events.Event) -> None:
        """The effect: notes the grant, once."""
        async with events.once(self.consumer, CLOCK, event) as connection:
            if connection is not None:
                self.handled.append(events_pb2.GrantEnded.FromString(event.payload).grant_id)

    @asynccontextmanager
    async def relay(self) -> AsyncIterator[None]:
        """The publisher's relay, running."""
        async with running(outbox.Relay(self.publisher, self.jetstream, "access", CLOCK).run):
            yield

    @asynccontextmanager
    async def consume(self, handler: Handle | None = None, ack_seconds: float = 30.0) -> AsyncIterator[None]:
        """The consumer, running."""
        async with running(self.consumer_of(handler or self.on_grant_ended, ack_seconds).run):
            yield

    def consumer_of(self, handle: Handle, ack_seconds: float = 30.0, clock: Clock = CLOCK) -> Consumer:
        """A consumer with short pauses."""
        handler = handle if isinstance(handle, events.Handler) else events.Handler(handle)
        return Consumer(
            self.consumer,
            self.jetstream,
            clock,
            service="documents",
            publisher="access",
            lane=handler.lane,
            handlers={SUBJECT: handler},
            first_pause_seconds=0.001,
            ack_seconds=ack_seconds,
        )


@asynccontextmanager
async def running(loop: Callable[[], Awaitable[bool | None]]) -> AsyncIterator[None]:
    task = asyncio.create_task(jobs.keep(jobs.Job("of a test", 0.01, loop)))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest_asyncio.fixture
async def bus(postgres: PostgresServer, nats_url: str) -> AsyncIterator[Bus]:
    """A fresh database and no streams."""
    clone = await postgres.clone(["notify", "documents"])
    publisher = await Database.connect(clone.app_dsns["notify"], "notify", size=3)
    consumer = await Database.connect(clone.app_dsns["documents"], "documents", size=3)
    client = await nats.connect(nats_url)
    jetstream = client.jetstream()
    for stream in await jetstream.streams_info():
        await jetstream.delete_stream(str(stream.config.name))
    yield Bus(clone, publisher, consumer, jetstream)
    await client.close()
    await publisher.close()
    await consumer.close()


def committed(grant: str, school_id: UUID) -> Committed:
    """An event as its row would be."""
    message = events_pb2.GrantEnded(school_id=str(school_id), grant_id=grant)
    return Committed(10**9, uuid4(), school_id, SUBJECT, message.SerializeToString(), "", CLOCK.now())


async def see_school(connection: Connection) -> str:
    school: str = await connection.fetchval("SELECT current_setting('diary.school_id')")
    return school


async def shows(bus: Bus, statement: str, value: int) -> bool:
    return bool((await fetch(bus, statement))[0] == value)


async def tell_others(bus: Bus, count: int) -> None:
    school_id = uuid4()
    for _ in range(count):
        async with bus.publisher.school(school_id) as connection, connection.transaction():
            await outbox.add(connection, CLOCK, events_pb2.SessionsEnded(), school_id)


def event_of(message: events_pb2.GrantEnded) -> events.Event:
    return events.Event(uuid4(), SUBJECT, uuid4(), CLOCK.now(), message.SerializeToString())


@asynccontextmanager
async def hearing(bus: Bus, handlers: dict[str, events.Handler]) -> AsyncIterator[None]:
    """documents with these handlers, a consumer for each lane."""
    async with AsyncExitStack() as stack:
        for publisher, lane, chosen in by_lane(handlers):
            consumer = Consumer(
                bus.consumer, bus.jetstream, CLOCK, service="documents", publisher=publisher, lane=lane, handlers=chosen
            )
            await stack.enter_async_context(running(consumer.run))
        yield


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("diary_events_total", {"subject": SUBJECT, "outcome": outcome}) or 0.0


def settings_of(bus: Bus, keys_dir: Path) -> ServiceSettings:
    return ServiceSettings(port=0, metrics_port=0, database_url=SecretStr(bus.clone.app_dsns["documents"]), keys_dir=keys_dir)


async def has_stream(bus: Bus) -> bool:
    return "diary-access" in [info.config.name for info in await bus.jetstream.streams_info()]


async def count_dead(bus: Bus, error: str, count: int = 1) -> bool:
    row = await fetch(bus, "SELECT count(*) AS n FROM documents.dead_events WHERE error = $1", error)
    return bool(row["n"] == count)


async def fetch(bus: Bus, query: str, *args: object) -> asyncpg.Record:
    connection = await asyncpg.connect(bus.clone.admin_dsn)
    try:
        row = await connection.fetchrow(query, *args)
    finally:
        await connection.close()
    assert row is not None
    return row


async def is_waiting(bus: Bus, count: int) -> bool:
    row = await fetch(bus, "SELECT count(*) AS n FROM notify.outbox WHERE published_time IS NULL")
    return bool(row["n"] == count)


async def is_dead(bus: Bus, event_id: UUID) -> bool:
    row = await fetch(bus, "SELECT count(*) AS n FROM documents.dead_events WHERE event_id = $1", event_id)
    return bool(row["n"] == 1)
