"""First credentials go by e-mail (R26), and their secret is written nowhere (R25)."""

from pathlib import Path

import pytest

from services.notify.letters.rules import State
from tests.worlds.mailbox import text
from tests.worlds.notify import MOTHER, TOKEN, World

SENT, FAILED, CANCELLED, WAITING = (int(s) for s in (State.SENT, State.FAILED, State.CANCELLED, State.WAITING))


@pytest.fixture(autouse=True)
def _empty(world: World) -> None:
    world.mailbox.reset()


async def test_the_letter_holds_the_link_and_the_address_is_kept_for_later_letters(world: World) -> None:
    async with world.serving():
        family = await world.family(address="")
        await world.credentials_ready(family)
        await world.until(family, (SENT, 1))
        await world.record_marks(family)
        await world.until(family, (SENT, 1), (SENT, 1))
    credentials, marks = world.mailbox.letters
    assert f"https://diary.example/activate#{TOKEN}" in text(credentials)
    assert f"https://diary.example/activate#{TOKEN}" in text(credentials, "html")
    assert marks["To"] == MOTHER


async def test_a_grant_that_has_ended_meanwhile_gets_no_letter(world: World) -> None:
    async with world.serving():
        family = await world.family(address="")
        await world.mailbox.stop()
        grant_id = await world.credentials_ready(family)
        await world.until(family, (WAITING, 1))
        del world.wanted[grant_id]
        await world.mailbox.start()
        await world.until(family, (CANCELLED, 2), seconds=20)
    assert world.mailbox.letters == []


async def test_an_address_that_cannot_be_written_fails_at_once(world: World) -> None:
    async with world.serving():
        family = await world.family(address="")
        await world.credentials_ready(family, "мама@mail.example")
        await world.until(family, (FAILED, 1))


async def test_the_secret_and_the_address_stand_in_no_log_table_or_stream(world: World, tmp_path: Path) -> None:
    """Clause R25. The mail server quotes both in its refusals, as some do."""
    world.mailbox.recipient_answer = f"451 4.7.1 <{MOTHER}> greylisted"

    async def refuse(_: object) -> str:
        return f"451 4.7.1 blocked link https://diary.example/activate#{TOKEN} to {MOTHER}"

    log = tmp_path / "notify.log"
    async with world.process(log):
        family = await world.family(address="")
        await world.credentials_ready(family)
        await world.until(family, (WAITING, 1))
        world.mailbox.reset()
        world.mailbox.answer = refuse
        await world.make_due(family)
        await world.until(family, (WAITING, 2))
        world.mailbox.reset()
        await world.make_due(family)
        await world.until(family, (SENT, 3))
    assert TOKEN in text(world.mailbox.letters[0]), "the test looks for the right secret"
    assert "letter_tried" in log.read_text()
    assert TOKEN not in log.read_text()
    assert MOTHER not in log.read_text()
    assert await world.holders(TOKEN) == []
    assert await world.holders(MOTHER) == ["contact_points"]
