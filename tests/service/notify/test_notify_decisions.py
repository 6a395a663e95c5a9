"""A signed refusal goes to its applicant by e-mail, with the paper and what proves the head's signature (R23, R26)."""

import asyncio
import os
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from chassis.clients import MESSAGE_LIMIT
from chassis.clock import SetClock, SystemClock
from diary.notify.v1 import events_pb2
from services.notify.letters.rules import State
from tests.support.eventually import eventually
from tests.worlds.mailbox import files, text
from tests.worlds.notify import MOTHER, Family, Refused, World

SENT, FAILED, CANCELLED, WAITING = (int(s) for s in (State.SENT, State.FAILED, State.CANCELLED, State.WAITING))
NAME = "Решение 3-ЭДО-2026"


@pytest.fixture(autouse=True)
def _empty(world: World) -> None:
    world.mailbox.reset()


async def test_a_decision_signed_on_paper_brings_the_sealed_file_and_its_scan(world: World) -> None:
    refused, pdf, scan = Refused(), os.urandom(5000), os.urandom(9000)
    async with world.serving():
        await world.sign_decision(refused, pdf=pdf, scan=scan)
        await world.until(refused, (SENT, 1))
    [letter] = world.mailbox.letters
    assert letter["To"] == MOTHER
    assert letter["Subject"] == "Решение по заявлению № 15-ЭД/2026"
    assert files(letter) == {f"{NAME}.pdf": pdf, f"{NAME} скан.pdf": scan}
    for kind in ("plain", "html"):
        assert "по заявлению от 19 ноября 2026 г. № 15-ЭД/2026 принято решение" in text(letter, kind)
        assert "порядок обжалования" in text(letter, kind)
        assert "https://diary.example/verify" in text(letter, kind)


async def test_a_decision_signed_electronically_brings_the_signature_beside_the_file(world: World) -> None:
    refused, pdf, signature = Refused(), os.urandom(5000), os.urandom(3000)
    async with world.serving():
        await world.sign_decision(refused, pdf=pdf, signature=signature)
        await world.until(refused, (SENT, 1))
    [letter] = world.mailbox.letters
    assert files(letter) == {f"{NAME}.pdf": pdf, f"{NAME}.pdf.sig": signature}
    assert "Электронную подпись руководителя проверяет" in text(letter)


async def test_a_paper_as_large_as_a_message_may_be_arrives_byte_for_byte(world: World) -> None:
    refused = Refused()
    pdf, scan = os.urandom(200_000), os.urandom(MESSAGE_LIMIT - 201_000)
    async with world.serving():
        await world.sign_decision(refused, pdf=pdf, scan=scan)
        await world.until(refused, (SENT, 1), seconds=30)
    [letter] = world.mailbox.letters
    assert files(letter) == {f"{NAME}.pdf": pdf, f"{NAME} скан.pdf": scan}


async def test_a_decision_goes_to_an_applicant_whose_access_has_ended(world: World) -> None:
    """Clause R33: the statement that is refused has ended the very access. The ending takes back marks, not the decision."""
    clock = SetClock(SystemClock().now())
    await world.mailbox.stop()
    async with world.serving(clock) as channel:
        family = await world.family()
        await world.record_marks(family)
        refused = Refused(school_id=family.school_id)
        await world.until(family, (WAITING, 1))
        await world.sign_decision(refused)
        await world.until(family, (WAITING, 1), (WAITING, 1))
        await world.end(channel, family)
        await world.mailbox.start()
        clock.advance(timedelta(minutes=1))
        await world.until(family, (CANCELLED, 1), (SENT, 2))
    [letter] = world.mailbox.letters
    assert letter["Subject"] == "Решение по заявлению № 15-ЭД/2026"


async def test_an_applicant_who_wants_it_otherwise_or_has_it_already_gets_no_letter(world: World) -> None:
    refused = Refused()
    await world.mailbox.stop()
    async with world.serving():
        await world.sign_decision(refused)
        await world.until(refused, (WAITING, 1))
        del world.receivers[str(refused.applicant_id)]
        await world.mailbox.start()
        await world.make_due(refused)
        await world.until(refused, (CANCELLED, 2))
    assert world.mailbox.letters == []
    assert await world.rows("SELECT 1 FROM outbox WHERE school_id = $1", refused.school_id) == []


async def test_a_paper_that_documents_does_not_give_is_waited_for_and_not_taken_for_unwanted(world: World) -> None:
    refused = Refused()
    async with world.serving():
        await world.sign_decision(refused)
        await world.until(refused, (SENT, 1))
        later = Refused(school_id=refused.school_id)
        paper = world.papers.pop(str(refused.document_id))
        world.receivers[str(later.applicant_id)] = world.receivers[str(refused.applicant_id)]
        await world.tell(later.signed(), later.school_id)
        await world.until(refused, (SENT, 1), (WAITING, 1))
        world.papers[str(later.document_id)] = paper
        await world.make_due(refused)
        await world.until(refused, (SENT, 1), (SENT, 2))
    answers = await world.rows(
        "SELECT provider_answer FROM delivery_attempts WHERE school_id = $1 AND outcome = 2", refused.school_id
    )
    assert [row[0] for row in answers] == ["content could not be fetched: NOT_FOUND"]


async def test_how_it_went_is_told_with_the_document_and_without_a_grant(world: World) -> None:
    sent, failed = Refused(), Refused()
    async with world.serving():
        await world.sign_decision(sent)
        await world.until(sent, (SENT, 1))
        world.mailbox.recipient_answer = f"552 5.3.4 <{MOTHER}> message too big"
        await world.sign_decision(failed)
        await world.until(failed, (FAILED, 1))
    for refused, message_type in ((sent, events_pb2.DeliverySucceeded), (failed, events_pb2.DeliveryFailed)):
        [(subject, payload)] = await world.rows("SELECT subject, payload FROM outbox WHERE school_id = $1", refused.school_id)
        assert subject == message_type.DESCRIPTOR.full_name
        told = message_type.FromString(payload)
        assert (told.document_id, told.grant_id) == (str(refused.document_id), "")
    [(answer,)] = await world.rows("SELECT provider_answer FROM delivery_attempts WHERE school_id = $1", failed.school_id)
    assert answer == "552 5.3.4 <…> message too big"


async def test_a_signature_that_is_told_twice_sends_one_letter(world: World) -> None:
    refused = Refused()
    async with world.serving():
        event_id = await world.sign_decision(refused)
        await world.until(refused, (SENT, 1))
        await world.rows("DELETE FROM inbox WHERE event_id = $1", event_id)
        await world.tell(refused.signed(), refused.school_id, event_id)
        await world.until_handled(event_id)
        await world.until_handled(await world.tell(refused.signed(), refused.school_id))
    assert await world.states(refused) == [(SENT, 1)]
    assert len(world.mailbox.letters) == 1


async def test_decisions_signed_together_go_one_by_one_and_hold_up_no_other_letter(world: World) -> None:
    on_their_way, most, go = 0, 0, asyncio.Event()

    async def wait(letter: EmailMessage) -> str:
        nonlocal on_their_way, most
        if "Решение" in letter["Subject"]:
            on_their_way += 1
            most = max(most, on_their_way)
            await go.wait()
            on_their_way -= 1
        return "250 2.0.0 Ok"

    world.mailbox.answer = wait
    school_id = uuid4()
    decisions = [Refused(school_id) for _ in range(20)]
    async with world.serving():
        for refused in decisions:
            await world.sign_decision(refused)
        await eventually(lambda: on_their_way == 1, why="a decision on its way")
        family = await world.family()
        await world.record_marks(family)
        await world.until(family, (SENT, 1))
        go.set()
        await world.until(decisions[0], *[(SENT, 1)] * 20)
    assert most == 1


async def test_papers_of_other_kinds_are_sent_to_nobody(world: World) -> None:
    other, refused = Refused(), Refused()
    async with world.serving():
        await world.sign_decision(refused)
        await world.until(refused, (SENT, 1))
        await world.tell(other.signed(kind=0), other.school_id)
        later = Refused(school_id=refused.school_id)
        await world.sign_decision(later)
        await world.until(refused, (SENT, 1), (SENT, 1))
    assert await world.states(other) == []


async def test_a_decision_is_kept_nowhere_and_named_in_no_log_table_or_stream(world: World, tmp_path: Path) -> None:
    refused, address = Refused(), "applicant-of-one-test@mail.example"
    pdf = b"%PDF-1.7 a-decision-of-one-test"
    world.mailbox.recipient_answer = f"451 4.7.1 <{address}> greylisted"
    log = tmp_path / "notify.log"
    async with world.process(log):
        await world.sign_decision(refused, address, pdf=pdf)
        await world.until(refused, (WAITING, 1))
        world.mailbox.reset()
        await world.make_due(refused)
        await world.until(refused, (SENT, 2))
    [letter] = world.mailbox.letters
    assert files(letter)[f"{NAME}.pdf"] == pdf, "the test looks for the right words"
    assert "Петрова" not in f"{letter['Subject']} {text(letter)} {text(letter, 'html')} {list(files(letter))}"
    for needle in (address, "a-decision-of-one-test", "15-ЭД/2026"):
        assert needle not in log.read_text()
        assert await world.holders(needle) == []


@pytest.mark.parametrize(
    "change",
    [
        "account_id = gen_random_uuid()",
        "applicant_id = NULL",
        "document_id = NULL",
        "grant_id = gen_random_uuid()",
        "student_id = gen_random_uuid()",
        "kind = 2",
        "kind = 5",
        # What the release before does with what it does not know.
        "state = 4",
    ],
)
async def test_the_database_keeps_what_a_decisions_delivery_is(world: World, change: str) -> None:
    school_id = uuid4()
    await world.rows(
        "INSERT INTO deliveries (school_id, kind, applicant_id, document_id, event_id, fact_time, next_attempt_time, "
        "create_time) VALUES ($1, 3, $2, $2, $2, now(), now() + interval '1 day', now())",
        school_id,
        uuid4(),
    )
    with pytest.raises(asyncpg.CheckViolationError):
        await world.rows(f"UPDATE deliveries SET {change} WHERE school_id = $1", school_id)


async def test_a_class_belongs_to_decisions_alone(world: World) -> None:
    family = Family()
    await world.rows(
        "INSERT INTO deliveries (school_id, kind, account_id, grant_id, event_id, fact_time, next_attempt_time, create_time) "
        "VALUES ($1, 1, $2, $2, $2, now(), now() + interval '1 day', now())",
        family.school_id,
        family.account_id,
    )
    with pytest.raises(asyncpg.CheckViolationError):
        await world.rows("UPDATE deliveries SET class_id = gen_random_uuid() WHERE school_id = $1", family.school_id)
