"""Processes die: the only second copy of a letter is the one in SMTP's own gap, and it carries the same Message-ID."""

import asyncio
import os
import signal
from email.message import EmailMessage
from pathlib import Path

import pytest

from services.notify.letters.rules import State
from tests.support.eventually import eventually
from tests.worlds.mailbox import files
from tests.worlds.notify import Refused, World

SENT, SENDING = int(State.SENT), int(State.SENDING)


@pytest.fixture(autouse=True)
def _empty(world: World) -> None:
    world.mailbox.reset()


async def test_a_process_killed_before_it_heard_250_sends_the_same_message_id_again(world: World, tmp_path: Path) -> None:
    first: list[EmailMessage] = []
    family = await world.family()
    async with world.process(tmp_path / "first.log") as process:

        async def kill(letter: EmailMessage) -> str:
            first.append(letter)
            os.kill(process.pid, signal.SIGKILL)
            return "250 2.0.0 Ok"

        world.mailbox.answer = kill
        await world.record_marks(family)
        await process.wait()
    assert await world.states(family) == [(SENDING, 1)]
    world.mailbox.reset()
    async with world.process(tmp_path / "second.log"):
        await world.until(family, (SENT, 2), seconds=30)
    [second] = world.mailbox.letters
    assert [letter["Message-ID"] for letter in first] == [second["Message-ID"]]
    attempts = await world.rows(
        "SELECT attempt_number, outcome FROM delivery_attempts WHERE school_id = $1 ORDER BY 1", family.school_id
    )
    assert [tuple(row) for row in attempts] == [(1, 4), (2, 1)]


async def test_a_decision_whose_sender_was_killed_is_sent_again_whole_with_the_same_message_id(
    world: World, tmp_path: Path
) -> None:
    first: list[EmailMessage] = []
    refused, scan = Refused(), os.urandom(3_000_000)
    async with world.process(tmp_path / "first.log") as process:

        async def kill(letter: EmailMessage) -> str:
            first.append(letter)
            os.kill(process.pid, signal.SIGKILL)
            return "250 2.0.0 Ok"

        world.mailbox.answer = kill
        await world.sign_decision(refused, scan=scan)
        await process.wait()
    assert await world.states(refused) == [(SENDING, 1)]
    world.mailbox.reset()
    async with world.process(tmp_path / "second.log"):
        await world.until(refused, (SENT, 2), seconds=30)
    [second] = world.mailbox.letters
    assert [letter["Message-ID"] for letter in first] == [second["Message-ID"]]
    assert files(second)["Решение 3-ЭДО-2026 скан.pdf"] == scan


async def test_the_lease_of_a_letter_on_its_way_is_renewed(world: World) -> None:
    came, go = asyncio.Event(), asyncio.Event()

    async def wait(_: EmailMessage) -> str:
        came.set()
        await go.wait()
        return "250 2.0.0 Ok"

    world.mailbox.answer = wait
    family = await world.family()
    query = "SELECT lease_end_time FROM deliveries WHERE school_id = $1"
    async with world.serving():
        await world.record_marks(family)
        await asyncio.wait_for(came.wait(), 10)
        [first] = await world.rows(query, family.school_id)

        async def is_renewed() -> bool:
            [now] = await world.rows(query, family.school_id)
            return bool(now[0] > first[0])

        await eventually(is_renewed, why="a later end of the lease")
        go.set()
        await world.until(family, (SENT, 1))


async def test_a_letter_whose_lease_another_has_taken_is_cut_off(world: World) -> None:
    """As after a long pause of the process: what it may still send would be a second letter."""
    cut = asyncio.Event()

    async def wait(_: EmailMessage) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()
        raise AssertionError

    world.mailbox.answer = wait
    family = await world.family()
    async with world.serving():
        await world.record_marks(family)
        await world.until(family, (SENDING, 1))
        await world.rows(
            "UPDATE deliveries SET lease_end_time = now() + interval '1 hour', attempt_count = 2 WHERE school_id = $1",
            family.school_id,
        )
        await asyncio.wait_for(cut.wait(), 20)
    assert await world.states(family) == [(SENDING, 2)]


async def test_a_letter_that_kills_its_sender_is_given_up_after_ten_attempts(world: World, tmp_path: Path) -> None:
    family = await world.family()
    async with world.serving():
        await world.record_marks(family)
        await world.until(family, (SENT, 1))
    await world.rows(
        "UPDATE deliveries SET state = 5, attempt_count = 10, send_time = NULL, lease_end_time = now(), "
        "next_attempt_time = now() WHERE school_id = $1",
        family.school_id,
    )
    world.mailbox.reset()
    async with world.serving():
        await world.until(family, (int(State.FAILED), 11))
    assert world.mailbox.letters == []
