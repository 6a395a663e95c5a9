"""Ending access: once ApplyRelations has answered, no letter about the child leaves (R33)."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from uuid import uuid4

import grpc
import pytest

from chassis.clock import SetClock, SystemClock
from diary.access.v1 import relation_pb2
from diary.notify.v1 import relation_service_pb2_grpc
from services.notify.letters.rules import State
from tests.support.eventually import eventually
from tests.support.services import refused, sign_service
from tests.worlds.notify import Family, World

SENT, CANCELLED, WAITING, SENDING = (int(s) for s in (State.SENT, State.CANCELLED, State.WAITING, State.SENDING))


@pytest.fixture(autouse=True)
def _empty(world: World) -> None:
    world.mailbox.reset()


async def test_a_waiting_letter_is_cancelled_in_the_ending(world: World) -> None:
    await world.mailbox.stop()
    async with world.serving() as channel:
        family = await world.family()
        await world.record_marks(family)
        await world.until(family, (WAITING, 1))
        await world.end(channel, family)
        assert await world.states(family) == [(CANCELLED, 1)]
    await world.mailbox.start()


async def test_another_relation_to_the_student_keeps_the_letter(world: World) -> None:
    clock = SetClock(SystemClock().now())
    await world.mailbox.stop()
    async with world.serving(clock) as channel:
        family = await world.family()
        await world.relate(family.school_id, replace(family, relation_id=uuid4()).relation())
        await world.record_marks(family)
        await world.until(family, (WAITING, 1))
        await world.end(channel, family)
        await world.mailbox.start()
        clock.advance(timedelta(minutes=1))
        await world.until(family, (SENT, 2))


async def test_a_relation_ended_behind_notifys_back_is_seen_when_the_letter_is_taken(world: World) -> None:
    clock = SetClock(SystemClock().now())
    await world.mailbox.stop()
    async with world.serving(clock):
        family = await world.family()
        await world.record_marks(family)
        await world.until(family, (WAITING, 1))
        await world.rows("UPDATE relations SET valid_to_time = $2 WHERE relation_id = $1", family.relation_id, clock.now())
        await world.mailbox.start()
        clock.advance(timedelta(minutes=1))
        await world.until(family, (CANCELLED, 1))
    assert world.mailbox.letters == []


async def test_an_ending_waits_for_the_letter_that_is_on_its_way(world: World) -> None:
    came, go = asyncio.Event(), asyncio.Event()

    async def wait(_: EmailMessage) -> str:
        came.set()
        await go.wait()
        return "250 2.0.0 Ok"

    world.mailbox.answer = wait
    async with world.serving() as channel:
        family = await world.family()
        await world.record_marks(family)
        await asyncio.wait_for(came.wait(), 10)
        ending = asyncio.create_task(world.end(channel, family))

        async def is_ended() -> bool:
            rows = await world.rows("SELECT valid_to_time FROM relations WHERE relation_id = $1", family.relation_id)
            return rows[0][0] is not None

        await eventually(is_ended, why="the ending committed")
        assert not ending.done()
        go.set()
        await ending
        assert await world.states(family) == [(SENT, 1)]


async def test_an_ending_that_would_wait_too_long_says_so(world: World) -> None:
    go = asyncio.Event()

    async def wait(_: EmailMessage) -> str:
        await go.wait()
        return "250 2.0.0 Ok"

    world.mailbox.answer = wait
    async with world.serving() as channel:
        family = await world.family()
        await world.record_marks(family)
        await world.until(family, (SENDING, 1))
        request = relation_pb2.ApplyRelationsRequest(
            school_id=str(family.school_id), relations=[family.relation(2, is_ended=True)]
        )
        stub = relation_service_pb2_grpc.RelationServiceStub(channel)
        metadata = sign_service(world.keys_dir, "access")
        answer = await refused(stub.ApplyRelations(request, metadata=metadata))
        assert answer == (grpc.StatusCode.UNAVAILABLE, "LETTER_BEING_SENT")
        go.set()
        await stub.ApplyRelations(request, metadata=metadata)
        assert await world.states(family) == [(SENT, 1)]


async def test_no_letter_leaves_after_the_answer_in_a_hundred_races(world: World) -> None:
    """Marks told and accesses ended at about the same moment: what left, left before the ending's answer."""
    left: set[str] = set()
    late: list[str] = []
    answered: set[str] = set()
    by_address = [f"mother-{number}@mail.example" for number in range(100)]

    async def take(letter: EmailMessage) -> str:
        if letter["To"] in answered:
            late.append(letter["To"])
        left.add(letter["To"])
        return "250 2.0.0 Ok"

    world.mailbox.answer = take
    async with world.serving() as channel:

        async def race(number: int) -> Family:
            family = await world.family(by_address[number])
            event_id = await world.record_marks(family)
            # Half of the endings come with the event, half with the letter, whatever the machine's pace.
            if number % 2:
                await world.until_handled(event_id)
            await asyncio.sleep(number % 10 * 0.01)
            await world.end(channel, family)
            answered.add(by_address[number])
            return family

        families = [
            family
            for start in range(0, 100, 20)
            for family in await asyncio.gather(*(race(number) for number in range(start, start + 20)))
        ]

        async def is_settled() -> bool:
            query = "SELECT 1 FROM deliveries WHERE state IN (1, 5) AND school_id = ANY ($1::uuid[])"
            return not await world.rows(query, [family.school_id for family in families])

        await eventually(is_settled, why="nothing waits")
    assert late == []
    assert 0 < len(left) < 100, "some were faster, some slower"
