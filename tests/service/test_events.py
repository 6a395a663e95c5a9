"""The fact and its event in one transaction; a relay carries it; a consumer's effect happens once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID, uuid4

import asyncpg
import nats
import pytest_asyncio
from nats.js import JetStreamContext
from prometheus_client import REGISTRY

from chassis import events, outbox, run
from chassis.clock import SystemClock
from chassis.db import Database
from diary.access.v1 import events_pb2
from tests.support.backends import Clone, PostgresServer
from tests.support.eventually import eventually

SUBJECT = events_pb2.GrantEnded.DESCRIPTOR.full_name
CLOCK = SystemClock()


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
        async with _running(outbox.Relay(self.publisher, self.jetstream, "access", CLOCK).run):
            yield

    @asynccontextmanager
    async def consume(self, handler: events.Handler | None = None) -> AsyncIterator[None]:
        """The consumer, running."""
        consumer = events.Consumer(
            self.consumer,
            self.jetstream,
            CLOCK,
            service="documents",
            publisher="access",
            handlers={SUBJECT: handler or self.on_grant_ended},
            first_pause_seconds=0.001,
        )
        async with _running(consumer.run):
            yield


@asynccontextmanager
async def _running(loop: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    task = asyncio.create_task(run.keep(loop))
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


async def test_a_fact_is_told_once_and_soon(bus: Bus) -> None:
    async with bus.relay(), bus.consume():
        grants = await bus.tell(30)
        await eventually(lambda: len(bus.handled) == 30)
    assert sorted(bus.handled) == sorted(grants)


async def test_a_fact_that_was_rolled_back_is_not_told(bus: Bus) -> None:
    school_id = uuid4()
    async with bus.publisher.school(school_id) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await outbox.add(connection, CLOCK, events_pb2.GrantEnded(grant_id="never"), school_id)
        await transaction.rollback()
    async with bus.relay(), bus.consume():
        [grant] = await bus.tell()
        await eventually(lambda: grant in bus.handled)
    assert bus.handled == [grant]


async def test_after_the_loss_of_the_stream_nothing_is_missing_and_nothing_comes_twice(bus: Bus) -> None:
    async with bus.relay(), bus.consume():
        heard = await bus.tell(5)
        await eventually(lambda: len(bus.handled) == 5)
    async with bus.relay():
        unheard = await bus.tell(20)
        await eventually(lambda: _waiting(bus, 0))
        await bus.jetstream.delete_stream("diary-access")
        later = await bus.tell(3)
        async with bus.consume():
            await eventually(lambda: len(bus.handled) >= 28, seconds=20)
    assert sorted(bus.handled) == sorted(heard + unheard + later)


async def test_a_second_copy_of_an_event_has_no_second_effect(bus: Bus) -> None:
    async with bus.relay(), bus.consume():
        [grant] = await bus.tell()
        await eventually(lambda: bus.handled == [grant])
        # A relay killed between publishing and its commit publishes again; here even past the broker's own window.
        await bus.jetstream.purge_stream("diary-access")
        row = await _fetch(bus, "SELECT event_id, payload, school_id, create_time FROM notify.outbox")
        second = events.Event(row["event_id"], SUBJECT, row["school_id"], row["create_time"], row["payload"])
        await bus.on_grant_ended(second)
        [last] = await bus.tell()
        await eventually(lambda: last in bus.handled)
    assert bus.handled == [grant, last]


async def test_an_event_that_fails_ten_times_is_set_aside_and_the_rest_move_on(bus: Bus) -> None:
    attempts: list[UUID] = []
    [bad] = await bus.tell()

    async def fail_on_bad(event: events.Event) -> None:
        if events_pb2.GrantEnded.FromString(event.payload).grant_id == bad:
            attempts.append(event.event_id)
            raise ValueError("cannot be handled")
        await bus.on_grant_ended(event)

    async with bus.relay(), bus.consume(fail_on_bad):
        [good] = await bus.tell()
        await eventually(lambda: len(attempts) == 10 and bus.handled == [good], seconds=20)
        await eventually(lambda: _dead(bus, attempts[0]))
    assert len(attempts) == 10


async def test_an_unknown_subject_is_passed_over(bus: Bus) -> None:
    school_id = uuid4()
    async with bus.relay(), bus.consume():
        async with bus.publisher.school(school_id) as connection, connection.transaction():
            await outbox.add(connection, CLOCK, events_pb2.SessionsEnded(), school_id)
        [grant] = await bus.tell()
        await eventually(lambda: bus.handled == [grant])


async def _fetch(bus: Bus, query: str, *args: object) -> asyncpg.Record:
    connection = await asyncpg.connect(bus.clone.admin_dsn)
    try:
        row = await connection.fetchrow(query, *args)
    finally:
        await connection.close()
    assert row is not None
    return row


async def _waiting(bus: Bus, count: int) -> bool:
    row = await _fetch(bus, "SELECT count(*) AS n FROM notify.outbox WHERE published_time IS NULL")
    return bool(row["n"] == count)


async def _dead(bus: Bus, event_id: UUID) -> bool:
    row = await _fetch(bus, "SELECT count(*) AS n FROM documents.dead_events WHERE event_id = $1", event_id)
    return bool(row["n"] == 1)


async def test_the_lag_grows_while_no_relay_can_publish_and_is_zero_again_afterwards(bus: Bus) -> None:
    def lag() -> float:
        return REGISTRY.get_sample_value("diary_outbox_lag_seconds") or 0.0

    watch = partial(outbox.watch_lag, bus.publisher, CLOCK)
    await bus.tell()
    async with _running(watch):
        await eventually(lambda: lag() > 0, why="the lag of what waits")
    async with bus.relay(), bus.consume():
        await eventually(lambda: len(bus.handled) == 1, why="the event")
    async with _running(watch):
        await eventually(lambda: lag() == 0, why="nothing waits")


async def test_a_consumer_shows_its_failures_as_zero_before_the_first(bus: Bus) -> None:
    async with bus.consume():
        pass
    for name, labels in (("diary_dead_events_total", {}), ("diary_events_total", {"outcome": "failed"})):
        assert REGISTRY.get_sample_value(name, {"subject": SUBJECT, **labels}) is not None
