"""kill -9 of journal and of PostgreSQL while classes are recorded: no acknowledged mark is lost or doubled."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.local.launcher import Launcher
from tests.support.eventually import eventually
from tests.support.region import Api, Login, Refused, new_id, signed_in
from tests.support.teaching import Lesson, find_lesson

_KILLS = 10
_WRITERS = 4


@dataclass
class Writer:
    """A teacher who records a class again and again, and repeats a call whose answer was lost."""

    lesson: Lesson
    acknowledged: dict[str, int] = field(default_factory=dict)
    calls: int = 0

    async def run(self, teacher: Api) -> None:
        """Records until cancelled; what was answered as saved is noted."""
        while True:
            cells = [self.lesson.cell(student, random.randint(2, 5)) for student in self.lesson.students]
            body = {"requestId": new_id(), "cells": cells}
            outcomes = (await self._insist(teacher, f"{self.lesson.path}/marks:record", body))["outcomes"]
            self.calls += 1
            for cell, outcome in zip(cells, outcomes, strict=True):
                assert (outcome["state"], outcome["revision"]) == ("CELL_STATE_SAVED", 1), outcome
                self.acknowledged[cell["markId"]] = cell["value"]

    async def _insist(self, teacher: Api, path: str, body: dict[str, Any]) -> dict[str, Any]:
        while True:
            try:
                return await teacher.post(path, **body)
            except (Refused, httpx.TransportError) as error:
                if isinstance(error, Refused) and error.status not in (429, 500, 502, 503, 504):
                    raise
                await asyncio.sleep(0.05)


@asynccontextmanager
async def _writing(region: Launcher, logins: dict[str, Login]) -> AsyncIterator[list[Writer]]:
    async with contextlib.AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(signed_in(region, logins["teacher"]))
        lesson = await find_lesson(region, logins)
        await lesson.record(teacher, new_id())
        writers = [Writer(lesson) for _ in range(_WRITERS)]
        tasks = [asyncio.create_task(writer.run(teacher)) for writer in writers]
        try:
            yield writers
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [e for e in ended if not isinstance(e, asyncio.CancelledError)] == []


async def _kept(region: Launcher, lesson: Lesson) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(region.region.admin_dsn)
    try:
        return await connection.fetch(
            "SELECT mark_id::text, revision, value FROM journal.mark_revisions WHERE lesson_id = $1", lesson.lesson_id
        )
    finally:
        await connection.close()


@pytest.mark.parametrize("victim", ["journal", "postgres"])
async def test_no_acknowledged_mark_is_lost_or_doubled_by_a_kill(
    region: Launcher, logins: dict[str, Login], victim: str
) -> None:
    chance = random.Random(2026)
    async with _writing(region, logins) as writers:
        for _ in range(_KILLS // 2):
            await _five_calls(writers)
            await asyncio.sleep(chance.uniform(0, 0.05))
            os.kill(region.children[victim].pid, signal.SIGKILL)
        await _five_calls(writers)
    lesson = writers[0].lesson
    rows = await _kept(region, lesson)
    assert len({row["mark_id"] for row in rows}) == len(rows), "a mark was doubled"
    kept = {row["mark_id"]: row["value"] for row in rows}
    for writer in writers:
        assert writer.acknowledged.items() <= kept.items(), "an acknowledged mark was lost"
    # Whole calls only: a call cut off before its answer left all its cells or none.
    assert len(kept) % len(lesson.students) == 0


async def _five_calls(writers: list[Writer]) -> None:
    before = sum(writer.calls for writer in writers)
    await eventually(lambda: sum(writer.calls for writer in writers) >= before + 5, seconds=60, why="five calls")
