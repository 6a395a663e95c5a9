"""Who waits for a password check: lanes apart, bounded, with a deadline, and left by who hangs up."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from chassis.errors import ResourceExhausted
from services.access.rights.actions import passwords
from services.access.rights.actions.passwords import Lane, Passwords


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Hashing that waits, so that places stay taken."""
    opened = threading.Event()

    def wait(password: str) -> str:
        opened.wait(20)
        return password

    monkeypatch.setattr(passwords, "hash_password", wait)
    yield opened
    opened.set()


def _start(queue: Passwords, lane: Lane, count: int) -> list["asyncio.Task[str]"]:
    return [asyncio.create_task(queue.hash(lane, str(number))) for number in range(count)]


async def _finish(gate: threading.Event, tasks: list["asyncio.Task[str]"]) -> None:
    gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_strangers_at_the_first_sign_in_keep_nobody_from_signing_in(gate: threading.Event) -> None:
    queue = Passwords()
    tasks = _start(queue, Lane.FIRST_SIGN_IN, 31)
    await asyncio.sleep(0)
    checked = await asyncio.wait_for(queue.check(Lane.SIGN_IN, None, ["guess"]), 10)
    assert not checked.is_right
    await _finish(gate, tasks)


async def test_one_more_than_may_wait_is_refused_at_once(gate: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whoever is let in to wait would wait longer than this test does.
    monkeypatch.setattr(passwords, "_WAIT_SECONDS", 3600)
    queue = Passwords()
    tasks = _start(queue, Lane.FIRST_SIGN_IN, 31)
    await asyncio.sleep(0)
    with pytest.raises(ResourceExhausted, match="SIGN_IN_BUSY"):
        await asyncio.wait_for(queue.hash(Lane.FIRST_SIGN_IN, "late"), 10)
    await _finish(gate, tasks)


async def test_who_waits_too_long_is_refused(gate: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_WAIT_SECONDS", 0.05)
    queue = Passwords()
    tasks = _start(queue, Lane.OFFICE, 2)
    await asyncio.sleep(0)
    with pytest.raises(ResourceExhausted, match="SIGN_IN_BUSY"):
        await queue.hash(Lane.OFFICE, "late")
    await _finish(gate, tasks)


async def test_who_hangs_up_frees_the_place(gate: threading.Event) -> None:
    queue = Passwords()
    tasks = _start(queue, Lane.OFFICE, 32)
    await asyncio.sleep(0)
    tasks[7].cancel()
    await asyncio.gather(tasks[7], return_exceptions=True)
    last = asyncio.create_task(queue.hash(Lane.OFFICE, "last"))
    await asyncio.sleep(0)
    assert not last.done()
    await _finish(gate, tasks)
    assert await last == "last"
