"""An event that cannot be handled is tried again, set aside, and told; the rest move on."""

import argparse
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import grpc
import pytest
from prometheus_client import REGISTRY

from chassis import commands, errors, events, run
from chassis.clock import SetClock
from diary.access.v1 import events_pb2
from tests.support.eventually import eventually
from tests.support.services import none_ended
from tests.worlds.bus import (
    CLOCK,
    SUBJECT,
    Bus,
    count_dead,
    counted,
    fetch,
    from_now,
    has_stream,
    is_dead,
    running,
    settings_of,
)


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
        await eventually(lambda: is_dead(bus, attempts[0]))
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

    before = counted("postponed")
    async with bus.relay(), bus.consume(be_away):
        [grant] = await bus.tell()
        await eventually(lambda: bus.handled == [grant], seconds=90, why="the event after the outage")
    assert len(tried) == 12
    assert counted("postponed") == before + 12
    assert (await fetch(bus, "SELECT count(*) AS n FROM documents.dead_events"))["n"] == 0


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

    async with bus.relay(), running(bus.consumer_of(wait, clock=clock).run):
        await bus.tell()
        await eventually(lambda: count_dead(bus, "Later"), why="the event in dead_events")


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
    sent = {name: value if isinstance(value, str) else from_now(value) for name, value in headers.items()}
    async with bus.relay():
        await eventually(lambda: has_stream(bus))
        async with bus.consume():
            await bus.jetstream.publish(SUBJECT, b"\xff\xff", headers=sent or None)
            [grant] = await bus.tell()
            await eventually(lambda: bus.handled == [grant])
            await eventually(lambda: count_dead(bus, error))
    assert bus.handled == [grant]


async def test_a_payload_that_cannot_be_read_is_tried_once(bus: Bus) -> None:
    tried: list[UUID] = []

    async def count(event: events.Event) -> None:
        tried.append(event.event_id)
        await bus.on_grant_ended(event)

    async with bus.relay():
        await eventually(lambda: has_stream(bus))
        async with bus.consume(count):
            headers = {"Nats-Msg-Id": str(uuid4()), "Diary-School": "", "Diary-Time": from_now(timedelta())}
            await bus.jetstream.publish(SUBJECT, b"\xff\xff", headers=headers)
            await eventually(lambda: count_dead(bus, "DecodeError"))
    assert len(tried) == 1


async def test_an_old_event_that_was_handled_before_is_not_dead(bus: Bus) -> None:
    """A stream that was lost is told again, whatever its age."""
    event_id = uuid4()
    async with bus.consumer.region() as connection:
        await connection.execute("INSERT INTO inbox (event_id, handle_time) VALUES ($1, $2)", event_id, CLOCK.now())
    async with bus.relay():
        await eventually(lambda: has_stream(bus))
        async with bus.consume():
            headers = {"Nats-Msg-Id": str(event_id), "Diary-School": "", "Diary-Time": from_now(timedelta(days=-29))}
            await bus.jetstream.publish(SUBJECT, b"", headers=headers)
            [grant] = await bus.tell()
            await eventually(lambda: bus.handled == [grant])
    assert (await fetch(bus, "SELECT count(*) AS n FROM documents.dead_events"))["n"] == 0


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
        await eventually(lambda: count_dead(bus, "ValueError", 2), seconds=20)

    async def redrive(*arguments: str) -> bool:
        settings = settings_of(bus, keys_dir)
        parser = argparse.ArgumentParser()
        commands.add_redrive(parser.add_subparsers())
        chosen = parser.parse_args(["redrive", *arguments])
        return await commands.redrive(
            "documents", settings, lambda _: run.Service([], none_ended, {SUBJECT: events.Handler(fail)}), chosen
        )

    assert not await redrive()
    assert "failed again: ValueError" in capsys.readouterr().out
    is_mended = True
    first = (await fetch(bus, "SELECT event_id FROM documents.dead_events ORDER BY fact_time LIMIT 1"))["event_id"]
    assert await redrive("--event", str(first))
    assert bus.handled == grants[:1]
    assert await redrive("--subject", "diary.access.v1.RosterChanged")
    assert bus.handled == grants[:1]
    assert await redrive("--subject", SUBJECT)
    assert await redrive()
    assert bus.handled == grants
    assert (await fetch(bus, "SELECT count(*) AS n FROM documents.dead_events"))["n"] == 0


async def test_a_consumer_shows_its_failures_as_zero_before_the_first(bus: Bus) -> None:
    async with bus.consume():
        pass
    for name, labels in (("diary_dead_events_total", {}), ("diary_events_total", {"outcome": "failed"})):
        assert REGISTRY.get_sample_value(name, {"subject": SUBJECT, **labels}) is not None
