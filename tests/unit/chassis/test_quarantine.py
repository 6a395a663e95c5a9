"""Strangers' files are read where they can take only so much."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from chassis.errors import ResourceExhausted
from chassis.quarantine import Bounds, Quarantine, UnreadableError
from tests.support.eventually import eventually

_SMALL = Bounds(data_bytes=192 << 20, cpu_seconds=2, waiting=1, seconds=60.0)


def _take(count: int) -> int:
    return len(bytearray(count))


def _spin() -> None:
    while True:
        pass


def _crash() -> None:
    os.abort()


def _refuse() -> None:
    raise UnreadableError("the file says nothing")


async def test_memory_past_the_bound_is_refused_and_the_next_file_is_read() -> None:
    quarantine = Quarantine(_SMALL)
    with pytest.raises(UnreadableError):
        await quarantine.read(_take, 400 << 20)
    assert await quarantine.read(_take, 10 << 20) == 10 << 20


@pytest.mark.parametrize("work", [_spin, _crash, _refuse])
async def test_a_reader_that_never_ends_crashes_or_refuses_ends_alone(work: object) -> None:
    with pytest.raises(UnreadableError):
        await Quarantine(_SMALL).read(work)  # type: ignore[arg-type]  # one of three functions


def _sleep(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    time.sleep(600)


async def _begun(path: Path) -> int:
    return int(await eventually(lambda: path.exists() and path.read_text(), 60, "the reader's begin"))


async def _gone(process_id: int) -> None:
    await eventually(lambda: not Path(f"/proc/{process_id}").exists(), 30, "the reader's end")


async def test_a_reader_that_nobody_waits_for_is_ended_and_the_next_file_is_read(tmp_path: Path) -> None:
    """Security H3 c: strangers who hang up leave nothing running."""
    quarantine = Quarantine(_SMALL)
    caller = asyncio.create_task(quarantine.read(_sleep, str(tmp_path / "id")))
    process_id = await _begun(tmp_path / "id")
    caller.cancel()
    await _gone(process_id)
    assert await quarantine.read(_take, 10) == 10


async def test_few_wait_and_the_others_are_told_at_once(tmp_path: Path) -> None:
    """Security H3 c: whoever waits holds a file."""
    quarantine = Quarantine(_SMALL)
    callers = [asyncio.create_task(quarantine.read(_sleep, str(tmp_path / "id"))) for _ in range(2)]
    process_id = await _begun(tmp_path / "id")
    with pytest.raises(ResourceExhausted) as refusal:
        await quarantine.read(_take, 10)
    assert refusal.value.reason == "TOO_MANY_WAITING"
    for caller in callers:
        caller.cancel()
    await _gone(process_id)
    assert await quarantine.read(_take, 10) == 10


async def test_a_reader_past_its_time_is_ended(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError):
        await Quarantine(replace(_SMALL, seconds=0.2)).read(_sleep, str(tmp_path / "id"))
    await eventually(lambda: not multiprocessing.active_children(), 30, "the reader's end")
