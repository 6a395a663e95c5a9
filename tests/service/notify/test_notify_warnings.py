"""Both are told 30 days before an access ends by itself, as long as it is still true (R6, R13)."""

from datetime import timedelta

import pytest

from chassis.clock import SetClock, SystemClock
from diary.access.v1 import grant_pb2
from diary.notify.v1 import events_pb2
from diary.options.v1 import options_pb2
from services.notify.letters.rules import State
from tests.worlds.mailbox import text
from tests.worlds.notify import MOTHER, Family, World

SENT, CANCELLED, WAITING = (int(s) for s in (State.SENT, State.CANCELLED, State.WAITING))


@pytest.fixture(autouse=True)
def _empty(world: World) -> None:
    world.mailbox.reset()


async def _student(world: World, family: Family) -> Family:
    """The student's own account, which reads the own diary and has an address."""
    own = Family(school_id=family.school_id, student_id=family.student_id)
    await world.relate(own.school_id, own.relation(role=options_pb2.ROLE_STUDENT))
    await world.put_address(own.account_id, "student@mail.example")
    return own


async def test_the_holder_and_the_student_are_told_of_the_coming_of_age(world: World) -> None:
    async with world.serving():
        family = await world.family()
        student = await _student(world, family)
        await world.warn(family)
        await world.until(family, (SENT, 1))
        await world.warn(family, student.account_id)
        await world.until(family, (SENT, 1), (SENT, 1))
    mothers, students = world.mailbox.letters
    assert (mothers["To"], students["To"]) == (MOTHER, "student@mail.example")
    for letter in (mothers, students):
        assert letter["Subject"] == "Доступ родителей прекратится 26 декабря 2026 г."
        assert "в этот день прекращается (в 24:00)" in text(letter)
    assert "Ваш собственный доступ сохраняется" in text(students)
    assert "Ваш собственный доступ сохраняется" not in text(mothers)


async def test_the_letter_asks_access_what_is_true_when_it_is_sent(world: World) -> None:
    clock = SetClock(SystemClock().now())
    await world.mailbox.stop()
    async with world.serving(clock):
        family, other = await world.family(), await world.family()
        kept, _ = await world.warn(family)
        gone, _ = await world.warn(other)
        await world.until(family, (WAITING, 1))
        await world.until(other, (WAITING, 1))
        world.endings[kept.grant_id].cause = grant_pb2.GRANT_ENDING_CAUSE_LEAVING
        del world.endings[gone.grant_id]
        await world.mailbox.start()
        clock.advance(timedelta(minutes=1))
        await world.until(family, (SENT, 2))
        await world.until(other, (CANCELLED, 2))
    [letter] = world.mailbox.letters
    assert letter["Subject"] == "Доступ к дневнику прекратится 26 декабря 2026 г."


async def test_who_may_no_longer_read_is_told_nothing(world: World) -> None:
    await world.mailbox.stop()
    async with world.serving() as channel:
        family, stranger = await world.family(), await world.family()
        await world.warn(family)
        await world.until(family, (WAITING, 1))
        await world.end(channel, family)
        assert await world.states(family) == [(CANCELLED, 1)]
        await world.mailbox.start()
        await world.rows("UPDATE relations SET valid_to_time = now() WHERE relation_id = $1", stranger.relation_id)
        await world.warn(stranger)
        await world.until(stranger, (CANCELLED, 0))
    assert world.mailbox.letters == []


async def test_an_account_without_an_address_is_sent_nothing(world: World) -> None:
    async with world.serving():
        family = await world.family(address="")
        await world.warn(family)
        await world.until(family, (CANCELLED, 1))
    assert world.mailbox.letters == []


async def test_who_switched_letters_about_marks_off_is_told_of_the_end_all_the_same(world: World) -> None:
    async with world.serving():
        family = await world.family()
        await world.switch_letters_off(family)
        await world.warn(family)
        await world.until(family, (SENT, 1))


async def test_a_warnings_grant_is_not_told_as_one_whose_credentials_were_sent(world: World) -> None:
    async with world.serving():
        family = await world.family()
        await world.warn(family)
        await world.until(family, (SENT, 1))
    [(payload,)] = await world.rows("SELECT payload FROM outbox WHERE school_id = $1", family.school_id)
    told = events_pb2.DeliverySucceeded.FromString(payload)
    assert (told.grant_id, told.document_id) == ("", "")


async def test_a_warning_that_is_told_twice_is_sent_once(world: World) -> None:
    async with world.serving():
        family = await world.family()
        told, event_id = await world.warn(family)
        await world.until(family, (SENT, 1))
        await world.rows("DELETE FROM inbox WHERE event_id = $1", event_id)
        await world.tell(told, family.school_id, event_id)
        await world.until_handled(event_id)
    assert await world.states(family) == [(SENT, 1)]
    assert len(world.mailbox.letters) == 1
