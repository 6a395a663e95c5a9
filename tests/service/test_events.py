"""The fact and its event in one transaction; a relay carries it; a consumer's effect happens once."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import grpc
import nats
import pytest
import pytest_asyncio
from nats.js import JetStreamContext
from prometheus_client import REGISTRY
from pydantic import SecretStr

from chassis import calls, commands, errors, events, jobs, outbox, run
from chassis.clock import Clock, SetClock, SystemClock
from chassis.consumer import Consumer, by_lane
from chassis.db import Committed, Connection, Database, announce
from chassis.settings import ServiceSettings
from diary.access.v1 import events_pb2
from tests.support.backends import Clone, PostgresServer
from tests.support.eventually import eventually
from tests.support.services import none_ended

SUBJECT = events_pb2.GrantEnded.DESCRIPTOR.full_name
OTHER = events_pb2.SessionsEnded.DESCRIPTOR.full_name
CLOCK = SystemClock()
Handle = Callable[[events.Event], Awaitable[None]]


def _from_now(step: timedelta) -> str:
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
        async with _running(outbox.Relay(self.publisher, self.jetstream, "access", CLOCK).run):
            yield

    @asynccontextmanager
    async def consume(self, handler: Handle | None = None, ack_seconds: float = 30.0) -> AsyncIterator[None]:
        """The consumer, running."""
        async with _running(self.consumer_of(handler or self.on_grant_ended, ack_seconds).run):
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
async def _running(loop: Callable[[], Awaitable[bool | None]]) -> AsyncIterator[None]:
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


def _committed(grant: str, school_id: UUID) -> Committed:
    """An event as its row would be."""
    message = events_pb2.GrantEnded(school_id=str(school_id), grant_id=grant)
    return Committed(10**9, uuid4(), school_id, SUBJECT, message.SerializeToString(), "", CLOCK.now())


async def test_what_one_statement_committed_is_told_without_being_read_back(bus: Bus) -> None:
    school_id = uuid4()
    async with bus.relay(), bus.consume():
        async with bus.publisher.school(school_id) as connection:
            # No row has it: whoever reads the table cannot tell it.
            announce(connection, _committed("from memory", school_id))
        await eventually(lambda: bus.handled == ["from memory"])


async def test_what_is_not_committed_yet_is_told_by_its_row_only(bus: Bus) -> None:
    school_id = uuid4()
    async with bus.relay(), bus.consume():
        async with bus.publisher.school(school_id) as connection:
            transaction = connection.transaction()
            await transaction.start()
            announce(connection, _committed("never", school_id))
            await transaction.rollback()
        [grant] = await bus.tell()
        await eventually(lambda: grant in bus.handled)
    assert bus.handled == [grant]


async def test_what_was_told_from_memory_is_noted_and_not_told_again(bus: Bus) -> None:
    school_id = uuid4()
    event = _committed("once", school_id)
    async with bus.relay(), bus.consume():
        async with bus.publisher.school(school_id) as connection:
            number = await connection.fetchval(
                """
                INSERT INTO outbox (event_id, school_id, subject, payload, create_time) VALUES ($1, $2, $3, $4, $5)
                RETURNING event_number
                """,
                event.event_id,
                school_id,
                SUBJECT,
                event.payload,
                event.create_time,
            )
            announce(connection, replace(event, event_number=number))
        await eventually(lambda: _waiting(bus, 0))
        [last] = await bus.tell()
        await eventually(lambda: last in bus.handled)
    assert bus.handled == ["once", last]


async def test_events_that_wait_are_handled_in_one_transaction_and_a_bad_one_spoils_no_other(bus: Bus) -> None:
    batches = list[int]()

    async def note(many: Sequence[events.Event]) -> None:
        batches.append(len(many))
        async with events.once_each(bus.consumer, CLOCK, many) as (_, by_school):
            told = [event for of_one in by_school.values() for event in of_one]
            grants = [events_pb2.GrantEnded.FromString(event.payload).grant_id for event in told]
            if bad in grants:
                raise ValueError("cannot be handled")
        bus.handled += grants

    async with bus.relay():
        grants = await bus.tell(4)
        [bad] = await bus.tell()
        grants += await bus.tell(4)
        await eventually(lambda: _waiting(bus, 0))
        async with bus.consume(events.Together(note)):
            await eventually(lambda: len(bus.handled) == 8)
            await eventually(lambda: _is(bus, "SELECT count(*) FROM documents.dead_events", 1), seconds=20)
            more = await bus.tell(3)
            await eventually(lambda: len(bus.handled) == 11)
    assert max(batches) > 1
    assert sorted(bus.handled) == sorted(grants + more)


async def test_after_a_failed_walk_over_schools_a_connection_knows_where_it_stands(bus: Bus) -> None:
    """A rollback takes the school back too, and a connection that believed otherwise would show another school's rows."""
    first, second = uuid4(), uuid4()
    database = await Database.connect(bus.clone.app_dsns["documents"], "documents", size=1)
    async with database.school(first) as connection:
        assert await _seen(connection) == str(first)
    with suppress(asyncpg.DivisionByZeroError):
        async with database.walk() as walk:
            assert await _seen(await walk.enter(second)) == str(second)
            await (await walk.enter(second)).execute("SELECT 1/0")
    async with database.school(second) as connection:
        assert await _seen(connection) == str(second)
    await database.close()


async def _seen(connection: Connection) -> str:
    school: str = await connection.fetchval("SELECT current_setting('diary.school_id')")
    return school


async def test_a_consumer_is_sent_what_it_handles_and_is_not_behind_for_the_rest(bus: Bus) -> None:
    async with bus.relay(), bus.consume():
        [grant] = await bus.tell()
        await eventually(lambda: bus.handled == [grant])
        other = events_pb2.SessionsEnded.DESCRIPTOR.full_name
        ack = await bus.jetstream.publish(other, b"", headers={"Nats-Msg-Id": str(uuid4())})
        info = await bus.jetstream.consumer_info("diary-access", "documents")
        assert info.num_pending == 0
        floor = "SELECT lowest_floor FROM notify.outbox_streams WHERE stream = 'diary-access'"
        await eventually(lambda: _is(bus, floor, ack.seq))


async def _is(bus: Bus, statement: str, value: int) -> bool:
    return bool((await _fetch(bus, statement))[0] == value)


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


async def test_an_event_outlives_an_outage_longer_than_ten_attempts(bus: Bus) -> None:
    """What is away says nothing against the event: a neighbour, the database, or what the event itself stands on."""
    reasons: list[Exception] = [
        grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata()),
        grpc.aio.AioRpcError(grpc.StatusCode.DEADLINE_EXCEEDED, grpc.aio.Metadata(), grpc.aio.Metadata()),
        errors.Unavailable("DATABASE_UNAVAILABLE", "away"),
        events.Later(0.001),
    ]
    tried: list[Exception] = []

    async def be_away(event: events.Event) -> None:
        if len(tried) < 12:
            tried.append(reasons[len(tried) % len(reasons)])
            raise tried[-1]
        await bus.on_grant_ended(event)

    before = _counted("postponed")
    async with bus.relay(), bus.consume(be_away):
        [grant] = await bus.tell()
        await eventually(lambda: bus.handled == [grant], seconds=90, why="the event after the outage")
    assert len(tried) == 12
    assert _counted("postponed") == before + 12
    assert (await _fetch(bus, "SELECT count(*) AS n FROM documents.dead_events"))["n"] == 0


async def test_redeliveries_are_no_attempts(bus: Bus) -> None:
    """An event that waited long for its turn, or for a neighbour, has its ten attempts still."""
    attempts = 0

    async def fail(event: events.Event) -> None:
        nonlocal attempts
        attempts += 1
        if attempts <= 11:
            raise events.Later(0.001)
        if attempts < 20:
            raise ValueError("cannot be handled yet")
        await bus.on_grant_ended(event)

    async with bus.relay(), bus.consume(fail):
        [grant] = await bus.tell()
        await eventually(lambda: bus.handled == [grant], seconds=60, why="the event at its ninth attempt")


async def test_what_cannot_be_handled_before_the_stream_forgets_it_is_set_aside(bus: Bus) -> None:
    clock = SetClock(CLOCK.now())

    async def wait(event: events.Event) -> None:
        clock.advance(timedelta(days=4))
        raise events.Later(0.001)

    async with bus.relay(), _running(bus.consumer_of(wait, clock=clock).run):
        await bus.tell()
        await eventually(lambda: _count_dead(bus, "Later"), why="the event in dead_events")


async def test_two_replicas_never_run_an_event_twice_however_long_it_takes(bus: Bus) -> None:
    runs: list[UUID] = []

    async def take_long(event: events.Event) -> None:
        runs.append(event.event_id)
        await asyncio.sleep(0.4)
        await bus.on_grant_ended(event)

    await bus.tell(12)
    async with bus.relay():
        await eventually(lambda: _waiting(bus, 0))
    # Handled one after the other, each replica holds some longer than the broker waits.
    async with bus.consume(take_long, ack_seconds=1), bus.consume(take_long, ack_seconds=1):
        await eventually(lambda: len(bus.handled) == 12, seconds=30)
    assert len(runs) == len(set(runs)) == 12


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "Unreadable"),
        ({"Nats-Msg-Id": "7", "Diary-School": "", "Diary-Time": "2026-11-30T00:00:00+00:00"}, "Unreadable"),
        ({"Nats-Msg-Id": str(uuid4()), "Diary-School": "", "Diary-Time": "2026-11-30T00:00:00"}, "Unreadable"),
        ({"Nats-Msg-Id": str(uuid4()), "Diary-School": "alek", "Diary-Time": "2026-11-30T00:00:00+00:00"}, "Unreadable"),
        (
            {"Nats-Msg-Id": str(uuid4()), "Diary-School": "", "Diary-Time": timedelta(), "Diary-Subject": "diary.notify.v1.X"},
            "Unreadable",
        ),
        ({"Nats-Msg-Id": str(uuid4()), "Diary-School": "", "Diary-Time": timedelta(days=-29)}, "FarFromNow"),
        ({"Nats-Msg-Id": str(uuid4()), "Diary-School": "", "Diary-Time": timedelta(minutes=6)}, "FarFromNow"),
        ({"Nats-Msg-Id": str(uuid4()), "Diary-School": "", "Diary-Time": timedelta()}, "DecodeError"),
    ],
)
async def test_a_message_not_of_our_making_is_dead_at_once_and_the_rest_move_on(
    bus: Bus, headers: dict[str, str | timedelta], error: str
) -> None:
    sent = {name: value if isinstance(value, str) else _from_now(value) for name, value in headers.items()}
    async with bus.relay():
        await eventually(lambda: _has_stream(bus))
        async with bus.consume():
            await bus.jetstream.publish(SUBJECT, b"\xff\xff", headers=sent or None)
            [grant] = await bus.tell()
            await eventually(lambda: bus.handled == [grant])
            await eventually(lambda: _count_dead(bus, error))
    assert bus.handled == [grant]


async def test_a_payload_that_cannot_be_read_is_tried_once(bus: Bus) -> None:
    tried: list[UUID] = []

    async def count(event: events.Event) -> None:
        tried.append(event.event_id)
        await bus.on_grant_ended(event)

    async with bus.relay():
        await eventually(lambda: _has_stream(bus))
        async with bus.consume(count):
            headers = {"Nats-Msg-Id": str(uuid4()), "Diary-School": "", "Diary-Time": _from_now(timedelta())}
            await bus.jetstream.publish(SUBJECT, b"\xff\xff", headers=headers)
            await eventually(lambda: _count_dead(bus, "DecodeError"))
    assert len(tried) == 1


async def test_an_old_event_that_was_handled_before_is_not_dead(bus: Bus) -> None:
    """A stream that was lost is told again, whatever its age."""
    event_id = uuid4()
    async with bus.consumer.region() as connection:
        await connection.execute("INSERT INTO inbox (event_id, handle_time) VALUES ($1, $2)", event_id, CLOCK.now())
    async with bus.relay():
        await eventually(lambda: _has_stream(bus))
        async with bus.consume():
            headers = {"Nats-Msg-Id": str(event_id), "Diary-School": "", "Diary-Time": _from_now(timedelta(days=-29))}
            await bus.jetstream.publish(SUBJECT, b"", headers=headers)
            [grant] = await bus.tell()
            await eventually(lambda: bus.handled == [grant])
    assert (await _fetch(bus, "SELECT count(*) AS n FROM documents.dead_events"))["n"] == 0


async def test_a_dead_event_is_handled_after_all_by_redrive(
    bus: Bus, keys_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    is_mended = False

    async def fail(event: events.Event) -> None:
        if not is_mended:
            raise ValueError("cannot be handled")
        await bus.on_grant_ended(event)

    async with bus.relay(), bus.consume(fail):
        grants = await bus.tell(2)
        await eventually(lambda: _count_dead(bus, "ValueError", 2), seconds=20)

    async def redrive(*arguments: str) -> bool:
        settings = _settings(bus, keys_dir)
        parser = argparse.ArgumentParser()
        commands.add_redrive(parser.add_subparsers())
        chosen = parser.parse_args(["redrive", *arguments])
        return await commands.redrive(
            "documents", settings, lambda _: run.Service([], none_ended, {SUBJECT: events.Handler(fail)}), chosen
        )

    assert not await redrive()
    assert "failed again: ValueError" in capsys.readouterr().out
    is_mended = True
    first = (await _fetch(bus, "SELECT event_id FROM documents.dead_events ORDER BY fact_time LIMIT 1"))["event_id"]
    assert await redrive("--event", str(first))
    assert bus.handled == grants[:1]
    assert await redrive("--subject", "diary.access.v1.RosterChanged")
    assert bus.handled == grants[:1]
    assert await redrive("--subject", SUBJECT)
    assert await redrive()
    assert bus.handled == grants
    assert (await _fetch(bus, "SELECT count(*) AS n FROM documents.dead_events"))["n"] == 0


async def test_an_event_tells_the_thread_of_the_call_it_came_of(bus: Bus) -> None:
    """From a call's request id through the outbox to the handler, and on to what the handler tells."""
    heard: list[tuple[str, str]] = []

    async def listen(event: events.Event) -> None:
        heard.append((event.traceparent, calls.traceparent()))

    request_id = uuid4()
    calls.bind({"x-request-id": str(request_id)}, None)
    await bus.tell()
    calls.bind({}, None)
    async with bus.relay(), bus.consume(listen):
        await eventually(lambda: len(heard) == 1)
    [(told, bound)] = heard
    assert told == bound
    assert told.split("-")[1] == request_id.hex


async def test_a_handler_that_takes_its_time_holds_up_no_other_lane(bus: Bus) -> None:
    go, begun = asyncio.Event(), list[UUID]()

    async def take_long(event: events.Event) -> None:
        begun.append(event.event_id)
        await go.wait()

    handlers = {SUBJECT: events.Handler(bus.on_grant_ended), OTHER: events.Handler(take_long, events.WORK)}
    async with bus.relay():
        await _tell_others(bus, 5)
        await eventually(lambda: _waiting(bus, 0))
        async with _hearing(bus, handlers):
            await eventually(lambda: len(begun) == 1, why="the first that takes long")
            grants = await bus.tell(3)
            await eventually(lambda: len(bus.handled) == 3, why="what another lane brings")
            # The rest is there for other replicas.
            info = await bus.jetstream.consumer_info("diary-access", events.WORK.durable("documents"))
            assert (len(begun), info.num_ack_pending, info.num_pending) == (1, 1, 4)
            go.set()
            await eventually(lambda: len(begun) == 5, why="the others that take long")
    assert sorted(bus.handled) == sorted(grants)


async def test_a_lane_that_is_new_misses_nothing_and_does_nothing_again(bus: Bus) -> None:
    """The release before had one durable for all; its events are taken on where they stand, in whatever lane they now are."""
    tried, done = list[UUID](), list[UUID]()

    async def work(event: events.Event) -> None:
        async with events.once(bus.consumer, CLOCK, event) as connection:
            if connection is not None:
                done.append(event.event_id)

    async def project(event: events.Event) -> None:
        tried.append(event.event_id)
        await bus.on_grant_ended(event)

    before = {SUBJECT: events.Handler(project), OTHER: events.Handler(work)}
    today = {SUBJECT: events.Handler(project), OTHER: events.Handler(work, events.WORK)}
    async with bus.relay():
        async with _hearing(bus, before):
            await bus.tell(3)
            await _tell_others(bus, 3)
            await eventually(lambda: len(bus.handled) == len(done) == 3, why="what the release before handles")
        await bus.tell(3)
        await _tell_others(bus, 3)
        await eventually(lambda: _waiting(bus, 0))
        async with _hearing(bus, today):
            await eventually(lambda: len(bus.handled) == len(done) == 6, why="what waited meanwhile")
            # A pod of the release before starts beside it.
            async with _hearing(bus, before):
                await bus.tell()
                await _tell_others(bus, 1)
                await eventually(lambda: len(bus.handled) == len(done) == 7, why="what both hear")
    assert len(set(done)) == len(set(bus.handled)) == len(tried) == 7


async def test_an_effect_is_told_of_when_it_is_committed(bus: Bus) -> None:
    """Who is woken looks for rows that are there, and is not woken by an event that was handled before."""
    seen = list[bool]()

    class Wing(events.Handlers):
        @events.on(events_pb2.GrantEnded)
        async def on_grant_ended(self, told: events_pb2.GrantEnded, event: events.Event) -> events.Effect | None:
            if not told.grant_id:
                return None
            return events.Effect(lambda _: asyncio.sleep(0), then=lambda: seen.append(True))

    wing = Wing(bus.consumer, CLOCK)
    [handle] = wing.handlers().values()
    event = _event_of(events_pb2.GrantEnded(grant_id="1"))
    await handle(event)
    await handle(event)
    await wing.on_grant_ended(_event_of(events_pb2.GrantEnded()))
    assert seen == [True]
    assert (await _fetch(bus, "SELECT count(*) AS n FROM documents.inbox"))["n"] == 1


async def test_what_is_past_its_term_is_dropped_in_pieces(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_FORGOTTEN_AT_ONCE", 2)
    old = CLOCK.now() - outbox.INBOX_KEEPS - timedelta(hours=1)
    async with bus.consumer.region() as connection:
        await connection.executemany(
            "INSERT INTO inbox (event_id, handle_time) VALUES ($1, $2)", [(uuid4(), old) for _ in range(5)]
        )
        await connection.execute("INSERT INTO inbox (event_id, handle_time) VALUES ($1, $2)", uuid4(), CLOCK.now())
    left = []
    while await outbox.forget_old(bus.consumer, CLOCK):
        left.append((await _fetch(bus, "SELECT count(*) AS n FROM documents.inbox"))["n"])
    assert left == [4, 2]
    assert (await _fetch(bus, "SELECT count(*) AS n FROM documents.inbox"))["n"] == 1


async def test_an_unknown_subject_is_passed_over(bus: Bus) -> None:
    school_id = uuid4()
    async with bus.relay(), bus.consume():
        async with bus.publisher.school(school_id) as connection, connection.transaction():
            await outbox.add(connection, CLOCK, events_pb2.SessionsEnded(), school_id)
        [grant] = await bus.tell()
        await eventually(lambda: bus.handled == [grant])


async def _tell_others(bus: Bus, count: int) -> None:
    school_id = uuid4()
    for _ in range(count):
        async with bus.publisher.school(school_id) as connection, connection.transaction():
            await outbox.add(connection, CLOCK, events_pb2.SessionsEnded(), school_id)


def _event_of(message: events_pb2.GrantEnded) -> events.Event:
    return events.Event(uuid4(), SUBJECT, uuid4(), CLOCK.now(), message.SerializeToString())


@asynccontextmanager
async def _hearing(bus: Bus, handlers: dict[str, events.Handler]) -> AsyncIterator[None]:
    """documents with these handlers, a consumer for each lane."""
    async with AsyncExitStack() as stack:
        for publisher, lane, chosen in by_lane(handlers):
            consumer = Consumer(
                bus.consumer, bus.jetstream, CLOCK, service="documents", publisher=publisher, lane=lane, handlers=chosen
            )
            await stack.enter_async_context(_running(consumer.run))
        yield


def _counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("diary_events_total", {"subject": SUBJECT, "outcome": outcome}) or 0.0


def _settings(bus: Bus, keys_dir: Path) -> ServiceSettings:
    return ServiceSettings(port=0, metrics_port=0, database_url=SecretStr(bus.clone.app_dsns["documents"]), keys_dir=keys_dir)


async def _has_stream(bus: Bus) -> bool:
    return "diary-access" in [info.config.name for info in await bus.jetstream.streams_info()]


async def _count_dead(bus: Bus, error: str, count: int = 1) -> bool:
    row = await _fetch(bus, "SELECT count(*) AS n FROM documents.dead_events WHERE error = $1", error)
    return bool(row["n"] == count)


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
