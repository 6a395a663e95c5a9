"""The fact and its event in one transaction; a relay carries it; a consumer's effect happens once."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import asyncpg
import pytest
from prometheus_client import REGISTRY

from chassis import calls, events, outbox
from chassis.db import Database, announce
from diary.access.v1 import events_pb2
from tests.support.eventually import eventually
from tests.worlds.bus import (
    CLOCK,
    OTHER,
    SUBJECT,
    Bus,
    committed,
    event_of,
    fetch,
    hearing,
    is_waiting,
    running,
    see_school,
    shows,
    tell_others,
)


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
        await eventually(lambda: is_waiting(bus, 0))
        await bus.jetstream.delete_stream("diary-access")
        later = await bus.tell(3)
        async with bus.consume():
            await eventually(lambda: len(bus.handled) >= 28, seconds=20)
    assert sorted(bus.handled) == sorted(heard + unheard + later)


async def test_what_one_statement_committed_is_told_without_being_read_back(bus: Bus) -> None:
    school_id = uuid4()
    async with bus.relay(), bus.consume():
        async with bus.publisher.school(school_id) as connection:
            # No row has it: whoever reads the table cannot tell it.
            announce(connection, committed("from memory", school_id))
        await eventually(lambda: bus.handled == ["from memory"])


async def test_what_is_not_committed_yet_is_told_by_its_row_only(bus: Bus) -> None:
    school_id = uuid4()
    async with bus.relay(), bus.consume():
        async with bus.publisher.school(school_id) as connection:
            transaction = connection.transaction()
            await transaction.start()
            announce(connection, committed("never", school_id))
            await transaction.rollback()
        [grant] = await bus.tell()
        await eventually(lambda: grant in bus.handled)
    assert bus.handled == [grant]


async def test_what_was_told_from_memory_is_noted_and_not_told_again(bus: Bus) -> None:
    school_id = uuid4()
    event = committed("once", school_id)
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
        await eventually(lambda: is_waiting(bus, 0))
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
        await eventually(lambda: is_waiting(bus, 0))
        async with bus.consume(events.Together(note)):
            await eventually(lambda: len(bus.handled) == 8)
            await eventually(lambda: shows(bus, "SELECT count(*) FROM documents.dead_events", 1), seconds=20)
            more = await bus.tell(3)
            await eventually(lambda: len(bus.handled) == 11)
    assert max(batches) > 1
    assert sorted(bus.handled) == sorted(grants + more)


async def test_after_a_failed_walk_over_schools_a_connection_knows_where_it_stands(bus: Bus) -> None:
    """A rollback takes the school back too, and a connection that believed otherwise would show another school's rows."""
    first, second = uuid4(), uuid4()
    database = await Database.connect(bus.clone.app_dsns["documents"], "documents", size=1)
    async with database.school(first) as connection:
        assert await see_school(connection) == str(first)
    with suppress(asyncpg.DivisionByZeroError):
        async with database.walk() as walk:
            assert await see_school(await walk.enter(second)) == str(second)
            await (await walk.enter(second)).execute("SELECT 1/0")
    async with database.school(second) as connection:
        assert await see_school(connection) == str(second)
    await database.close()


async def test_a_consumer_is_sent_what_it_handles_and_is_not_behind_for_the_rest(bus: Bus) -> None:
    async with bus.relay(), bus.consume():
        [grant] = await bus.tell()
        await eventually(lambda: bus.handled == [grant])
        other = events_pb2.SessionsEnded.DESCRIPTOR.full_name
        ack = await bus.jetstream.publish(other, b"", headers={"Nats-Msg-Id": str(uuid4())})
        info = await bus.jetstream.consumer_info("diary-access", "documents")
        assert info.num_pending == 0
        floor = "SELECT lowest_floor FROM notify.outbox_streams WHERE stream = 'diary-access'"
        await eventually(lambda: shows(bus, floor, ack.seq))


async def test_a_second_copy_of_an_event_has_no_second_effect(bus: Bus) -> None:
    async with bus.relay(), bus.consume():
        [grant] = await bus.tell()
        await eventually(lambda: bus.handled == [grant])
        # A relay killed between publishing and its commit publishes again; here even past the broker's own window.
        await bus.jetstream.purge_stream("diary-access")
        row = await fetch(bus, "SELECT event_id, payload, school_id, create_time FROM notify.outbox")
        second = events.Event(row["event_id"], SUBJECT, row["school_id"], row["create_time"], row["payload"])
        await bus.on_grant_ended(second)
        [last] = await bus.tell()
        await eventually(lambda: last in bus.handled)
    assert bus.handled == [grant, last]


async def test_two_replicas_never_run_an_event_twice_however_long_it_takes(bus: Bus) -> None:
    runs: list[UUID] = []

    async def take_long(event: events.Event) -> None:
        runs.append(event.event_id)
        await asyncio.sleep(0.4)
        await bus.on_grant_ended(event)

    await bus.tell(12)
    async with bus.relay():
        await eventually(lambda: is_waiting(bus, 0))
    # Handled one after the other, each replica holds some longer than the broker waits.
    async with bus.consume(take_long, ack_seconds=1), bus.consume(take_long, ack_seconds=1):
        await eventually(lambda: len(bus.handled) == 12, seconds=30)
    assert len(runs) == len(set(runs)) == 12


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
        await tell_others(bus, 5)
        await eventually(lambda: is_waiting(bus, 0))
        async with hearing(bus, handlers):
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
        async with hearing(bus, before):
            await bus.tell(3)
            await tell_others(bus, 3)
            await eventually(lambda: len(bus.handled) == len(done) == 3, why="what the release before handles")
        await bus.tell(3)
        await tell_others(bus, 3)
        await eventually(lambda: is_waiting(bus, 0))
        async with hearing(bus, today):
            await eventually(lambda: len(bus.handled) == len(done) == 6, why="what waited meanwhile")
            # A pod of the release before starts beside it.
            async with hearing(bus, before):
                await bus.tell()
                await tell_others(bus, 1)
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
    event = event_of(events_pb2.GrantEnded(grant_id="1"))
    await handle(event)
    await handle(event)
    await wing.on_grant_ended(event_of(events_pb2.GrantEnded()))
    assert seen == [True]
    assert (await fetch(bus, "SELECT count(*) AS n FROM documents.inbox"))["n"] == 1


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
        left.append((await fetch(bus, "SELECT count(*) AS n FROM documents.inbox"))["n"])
    assert left == [4, 2]
    assert (await fetch(bus, "SELECT count(*) AS n FROM documents.inbox"))["n"] == 1


async def test_an_unknown_subject_is_passed_over(bus: Bus) -> None:
    school_id = uuid4()
    async with bus.relay(), bus.consume():
        async with bus.publisher.school(school_id) as connection, connection.transaction():
            await outbox.add(connection, CLOCK, events_pb2.SessionsEnded(), school_id)
        [grant] = await bus.tell()
        await eventually(lambda: bus.handled == [grant])


async def test_the_lag_grows_while_no_relay_can_publish_and_is_zero_again_afterwards(bus: Bus) -> None:
    def lag() -> float:
        return REGISTRY.get_sample_value("diary_outbox_lag_seconds") or 0.0

    watch = partial(outbox.watch_lag, bus.publisher, CLOCK)
    await bus.tell()
    async with running(watch):
        await eventually(lambda: lag() > 0, why="the lag of what waits")
    async with bus.relay(), bus.consume():
        await eventually(lambda: len(bus.handled) == 1, why="the event")
    async with running(watch):
        await eventually(lambda: lag() == 0, why="nothing waits")
