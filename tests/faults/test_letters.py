"""Marks become letters while services, the bus and the mail server die: no letter is lost or doubled."""

import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise

import pytest

from deploy.local.launcher import Launcher
from tests.support.eventually import eventually
from tests.support.families import activate_by_letter, find_student, list_letters, register
from tests.support.region import Api, Login, Refused, new_id, signed_in
from tests.support.teaching import Lesson

_MARKS_BETWEEN = 3
# A letter whose content or mail server was away is tried again after 5 s, 30 s and 2 min: three outages in a row take 155 s.
_LETTERS_WITHIN = 240


@dataclass
class Told:
    """A family with an address, and the teacher who records its child's marks."""

    region: Launcher
    teacher: Api
    lesson: Lesson
    student_id: str
    email: str
    recorded: int = 0

    async def record(self, count: int) -> None:
        """Records marks, one call each, and repeats a call whose answer was lost."""
        for _ in range(count):
            body = {"requestId": new_id(), "cells": [self.lesson.cell(self.student_id, 4)]}
            await eventually(lambda body=body: self._is_saved(body), seconds=60, why="the mark")  # type: ignore[misc]
            self.recorded += 1

    async def _is_saved(self, body: dict[str, object]) -> bool:
        try:
            answer = await self.teacher.post(f"{self.lesson.path}/marks:record", **body)
        except (Refused, OSError):
            return False
        return bool(answer["outcomes"][0]["state"] == "CELL_STATE_SAVED")

    def count_letters(self) -> int:
        """Different letters about marks that the mail server has accepted."""
        return len({letter["Message-ID"] for letter in list_letters(self.region, self.email) if "отметк" in letter["Subject"]})

    def kill(self, child: str) -> None:
        """kill -9; the launcher starts it again."""
        os.kill(self.region.children[child].pid, signal.SIGKILL)

    def lose_store(self) -> None:
        """Takes the bus's folder away at one stroke before the next nats-server is there: it never loses what it has opened."""
        store = self.region.region.nats.store
        store.rename(store.with_name("lost"))


@pytest.fixture
async def told(region: Launcher, logins: dict[str, Login]) -> AsyncIterator[Told]:
    """A mother who has her access by e-mail."""
    email = f"{new_id()[:8]}@family.example"
    async with signed_in(region, logins["teacher"]) as teacher:
        lesson, student_id = await find_student(region, logins)
        case = await register(teacher, lesson, student_id, email)
        await teacher.post(f"{case.path}:grant", requestId=new_id())
        mother, _ = await activate_by_letter(region, case, email)
        await mother.close()
        await lesson.record(teacher, new_id())
        yield Told(region, teacher, lesson, student_id, email)


async def test_no_letter_is_lost_when_services_bus_and_mail_die_at_each_step(told: Told) -> None:
    """Steps of the way: journal's commit, relay, stream, notify's inbox, SMTP."""
    for child in ("journal", "nats", "notify", "mail"):
        await told.record(_MARKS_BETWEEN)
        told.kill(child)
        await told.record(_MARKS_BETWEEN)
    await eventually(lambda: told.count_letters() == told.recorded, seconds=_LETTERS_WITHIN, why="a letter for each mark")
    copies = [letter["Message-ID"] for letter in list_letters(told.region, told.email)]
    # A second copy is possible only in the gap between SMTP's 250 and our commit, and has the Message-ID of the first.
    assert len(copies) - len(set(copies)) <= 1


async def test_no_letter_is_lost_with_the_jetstream_store(told: Told) -> None:
    await told.record(_MARKS_BETWEEN)
    told.kill("nats")
    told.lose_store()
    await told.record(_MARKS_BETWEEN)
    await eventually(lambda: told.count_letters() == told.recorded, seconds=_LETTERS_WITHIN, why="a letter for each mark")
    identifiers = sorted(letter["Message-ID"] for letter in list_letters(told.region, told.email))
    assert all(one != other for one, other in pairwise(identifiers))
