"""A recorded mark becomes a letter, once, to those who may read and want to hear (R4)."""

import asyncio
from datetime import timedelta
from email.message import EmailMessage

import pytest

from chassis.clock import SetClock, SystemClock
from diary.journal.v1 import events_pb2
from services.notify.letters.rules import State
from tests.support.eventually import eventually
from tests.worlds.mailbox import text
from tests.worlds.notify import MOTHER, World

SENT, FAILED, CANCELLED, WAITING = (int(s) for s in (State.SENT, State.FAILED, State.CANCELLED, State.WAITING))


@pytest.fixture(autouse=True)
def _empty(world: World) -> None:
    world.mailbox.reset()


async def test_a_recorded_mark_becomes_one_letter(world: World) -> None:
    async with world.serving():
        family = await world.family()
        await world.record_marks(family, count=2)
        await world.until(family, (SENT, 1))
    [letter] = world.mailbox.letters
    assert letter["To"] == MOTHER
    assert letter["Subject"] == "Мария: новые отметки"
    assert text(letter).count("19 ноября, Алгебра: 5") == 2


async def test_a_sent_letter_is_told_to_the_others(world: World) -> None:
    async with world.serving():
        family = await world.family()
        await world.record_marks(family)
        await world.until(family, (SENT, 1))
    subjects = await world.rows("SELECT subject FROM outbox WHERE school_id = $1", family.school_id)
    assert [row["subject"] for row in subjects] == ["diary.notify.v1.DeliverySucceeded"]
    attempts = await world.rows("SELECT outcome, provider_answer FROM delivery_attempts WHERE school_id = $1", family.school_id)
    assert [tuple(row) for row in attempts] == [(1, "250 2.0.0 Ok")]


async def test_an_event_that_comes_twice_makes_one_letter(world: World) -> None:
    async with world.serving():
        family = await world.family()
        recorded = world.recorded(family, [world.mark(family)])
        event_id = await world.tell(recorded, family.school_id)
        await world.until(family, (SENT, 1))
        await world.tell(recorded, family.school_id, event_id)
        await world.until_handled(await world.tell(world.recorded(family, [world.mark(family)]), family.school_id))
        await world.until(family, (SENT, 1), (SENT, 1))
    assert len(world.mailbox.letters) == 2
    assert len({letter["Message-ID"] for letter in world.mailbox.letters}) == 2


async def test_a_mark_that_another_event_tells_again_makes_no_second_letter(world: World) -> None:
    """The fact is the key, mark and revision: another revision is another fact."""
    async with world.serving():
        family = await world.family()
        recorded = world.recorded(family, [world.mark(family), world.mark(family)])
        await world.tell(recorded, family.school_id)
        await world.until(family, (SENT, 1))
        again = events_pb2.MarksRecorded(school_id=recorded.school_id, marks=reversed(recorded.marks))
        await world.until_handled(await world.tell(again, family.school_id))
        assert await world.states(family) == [(SENT, 1)]
        for mark in again.marks:
            mark.revision += 1
        await world.until_handled(await world.tell(again, family.school_id))
        await world.until(family, (SENT, 1), (SENT, 1))


async def test_an_event_whose_inbox_row_was_lost_still_makes_one_letter(world: World) -> None:
    async with world.serving():
        family = await world.family()
        recorded = world.recorded(family, [world.mark(family)])
        event_id = await world.tell(recorded, family.school_id)
        await world.until(family, (SENT, 1))
        await world.rows("DELETE FROM inbox WHERE event_id = $1", event_id)
        await world.tell(recorded, family.school_id, event_id)
        await world.until_handled(event_id)
    assert await world.states(family) == [(SENT, 1)]


async def test_a_corrected_mark_is_told(world: World) -> None:
    async with world.serving():
        family = await world.family()
        mark_id = world.mark(family, value=4, revision=2)
        mark = events_pb2.RecordedMark(mark_id=mark_id, student_id=str(family.student_id), value=4, revision=2)
        await world.tell(events_pb2.MarkCorrected(school_id=str(family.school_id), mark=mark), family.school_id)
        await world.until(family, (SENT, 1))
    assert world.mailbox.letters[0]["Subject"] == "Исправлена отметка: Алгебра, 19 ноября"


async def test_a_class_recorded_in_one_piece_makes_one_letter_and_one_without_marks_none(world: World) -> None:
    async with world.serving():
        family = await world.family()
        lesson = events_pb2.LessonRecorded(school_id=str(family.school_id))
        nothing = await world.tell(events_pb2.ClassRecorded(lesson=lesson), family.school_id)
        marks = world.recorded(family, [world.mark(family)])
        await world.tell(events_pb2.ClassRecorded(lesson=lesson, marks=marks), family.school_id)
        await world.until(family, (SENT, 1))
        await world.until_handled(nothing)
    assert await world.states(family) == [(SENT, 1)]
    assert world.mailbox.letters[0]["Subject"] == "Мария: новая отметка"


async def test_a_mark_that_was_taken_back_is_told_by_no_letter(world: World) -> None:
    async with world.serving():
        family = await world.family()
        gone = world.recorded(family, ["01990000-0000-7000-8000-000000000001"])
        await world.tell(gone, family.school_id)
        await world.until(family, (CANCELLED, 1))
    assert world.mailbox.letters == []


async def test_a_mark_of_before_the_access_is_told_by_no_letter_however_late_it_comes(world: World) -> None:
    family = await world.family()
    earlier = await world.record_marks(family)
    await world.rows("UPDATE relations SET valid_from_time = now() WHERE school_id = $1", family.school_id)
    async with world.serving():
        await world.until_handled(earlier)
        await world.record_marks(family)
        await world.until(family, (SENT, 1))
    assert len(world.mailbox.letters) == 1


async def test_a_letter_tells_no_mark_of_another_student(world: World) -> None:
    async with world.serving():
        family, other = await world.family(), await world.family()
        recorded = world.recorded(family, [world.mark(family), world.mark(other, subject_name="Химия")])
        await world.tell(recorded, family.school_id)
        await world.until(family, (SENT, 1))
    assert "Химия" not in text(world.mailbox.letters[0])


async def test_an_account_without_an_address_gets_no_letter(world: World) -> None:
    async with world.serving():
        family = await world.family(address="")
        recorded = world.recorded(family, [world.mark(family)])
        await world.until_handled(await world.tell(recorded, family.school_id))
    assert await world.states(family) == []


async def test_who_switched_letters_off_gets_none(world: World) -> None:
    async with world.serving():
        family = await world.family()
        await world.switch_letters_off(family)
        recorded = world.recorded(family, [world.mark(family)])
        await world.until_handled(await world.tell(recorded, family.school_id))
    assert await world.states(family) == []


async def test_letters_switched_off_while_one_waits_cancel_it(world: World) -> None:
    clock = SetClock(SystemClock().now())
    await world.mailbox.stop()
    async with world.serving(clock):
        family = await world.family()
        await world.record_marks(family)
        await world.until(family, (WAITING, 1))
        await world.switch_letters_off(family)
        await world.mailbox.start()
        clock.advance(timedelta(minutes=1))
        await world.until(family, (CANCELLED, 1))
    assert world.mailbox.letters == []


async def test_a_mail_server_that_comes_back_is_given_the_letter_once(world: World) -> None:
    clock = SetClock(SystemClock().now())
    await world.mailbox.stop()
    async with world.serving(clock):
        family = await world.family()
        await world.record_marks(family)
        await world.until(family, (WAITING, 1))
        clock.advance(timedelta(minutes=1))
        await world.until(family, (WAITING, 2))
        await world.mailbox.start()
        clock.advance(timedelta(minutes=5))
        await world.until(family, (SENT, 3))
        clock.advance(timedelta(days=2))
        await world.record_marks(family)
        await world.until(family, (SENT, 3), (SENT, 1))
    assert len(world.mailbox.letters) == 2


async def test_a_letter_that_is_put_off_is_tried_again_and_one_that_is_refused_is_not(world: World) -> None:
    clock = SetClock(SystemClock().now())
    world.mailbox.recipient_answer = f"451 4.2.1 <{MOTHER}> later"
    async with world.serving(clock):
        family = await world.family()
        await world.record_marks(family)
        await world.until(family, (WAITING, 1))
        world.mailbox.recipient_answer = f"550 5.1.1 <{MOTHER}> no such user"
        clock.advance(timedelta(minutes=1))
        await world.until(family, (FAILED, 2))
    answers = await world.rows(
        "SELECT provider_answer FROM delivery_attempts WHERE school_id = $1 ORDER BY attempt_number", family.school_id
    )
    assert [row[0] for row in answers] == ["451 4.2.1 <…> later", "550 5.1.1 <…> no such user"]
    subjects = await world.rows("SELECT subject FROM outbox WHERE school_id = $1", family.school_id)
    assert [row[0] for row in subjects] == ["diary.notify.v1.DeliveryFailed"]


async def test_a_lost_answer_brings_a_second_copy_with_the_same_message_id(world: World) -> None:
    clock = SetClock(SystemClock().now())
    copies = []

    async def cut(letter: EmailMessage) -> str:
        copies.append(letter["Message-ID"])
        raise ConnectionResetError

    world.mailbox.answer = cut
    async with world.serving(clock):
        family = await world.family()
        await world.record_marks(family)
        await eventually(lambda: copies, why="the first copy")
        await world.until(family, (WAITING, 1))
        world.mailbox.reset()
        clock.advance(timedelta(minutes=1))
        await world.until(family, (SENT, 2))
    assert [letter["Message-ID"] for letter in world.mailbox.letters] == copies


async def test_letters_on_their_way_end_before_the_service_does(world: World) -> None:
    came, go = asyncio.Event(), asyncio.Event()

    async def wait(_: EmailMessage) -> str:
        came.set()
        await go.wait()
        return "250 2.0.0 Ok"

    world.mailbox.answer = wait
    async with world.serving():
        family = await world.family()
        await world.record_marks(family)
        await asyncio.wait_for(came.wait(), 10)
        asyncio.get_running_loop().call_later(0.5, go.set)
    assert await world.states(family) == [(SENT, 1)]
