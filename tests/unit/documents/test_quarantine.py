"""Strangers' files are read where they can take only so much."""

from __future__ import annotations

import os

import pytest

from services.documents.actions.quarantine import Quarantine
from services.documents.convert.bounds import Bounds, UnreadableError

_SMALL = Bounds(data_bytes=192 << 20, cpu_seconds=2)


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
