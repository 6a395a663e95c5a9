"""The presses: few wait, and what nobody waits for is not begun (security H3 d)."""

from __future__ import annotations

import asyncio
import threading

import pytest

from chassis.errors import ResourceExhausted
from services.documents.forms.actions import RememberedForms
from services.documents.forms.rules import FORMS, FormSchool, build_form
from services.documents.press.actions.presses import Press


async def test_few_wait_for_a_press_and_the_others_are_told_at_once() -> None:
    press, gate, made = Press(waiting=1), threading.Event(), []

    def make(page: int) -> int:
        gate.wait(60)
        made.append(page)
        return page

    callers = [asyncio.create_task(press.render("form", make, number)) for number in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(ResourceExhausted) as refusal:
        await press.render("form", make, 2)
    assert refusal.value.reason == "TOO_MANY_WAITING"
    callers[1].cancel()
    await asyncio.wait({callers[1]})
    gate.set()
    assert await callers[0] == 0
    assert await press.render("form", make, 3) == 3
    assert made == [0, 3]


def test_forms_are_remembered_by_their_bytes_and_those_asked_for_last_stay() -> None:
    form = next(iter(FORMS.values()))
    pages = [build_form(form, FormSchool(f"Школа № {number}", "", "")) for number in range(100)]
    remembered = RememberedForms(most_bytes=1000)
    for page in pages:
        remembered.keep(page, b"x" * 100)
        assert remembered.find(pages[0]) is not None
    kept = [page for page in pages if remembered.find(page) is not None]
    assert (len(kept), pages[0] in kept, pages[-1] in kept) == (10, True, True)
    remembered.keep(pages[0], b"x" * 2000)
    assert remembered.find(pages[0]) is None
