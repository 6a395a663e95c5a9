"""How a case follows the paper of its refusal: made, signed, sent and given (Clauses R22, R23)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
import pytest

from chassis import events, outbox
from chassis.clock import SystemClock
from chassis.db import Database
from diary.access.v1 import (
    application_pb2,
    refusal_pb2,
)
from diary.documents.v1 import document_pb2
from diary.documents.v1 import events_pb2 as document_events
from diary.notify.v1 import events_pb2 as notify_events
from services.access.cases.consumers import Consumers
from tests.support.eventually import eventually
from tests.support.services import refused
from tests.worlds.access import SchoolWorld
from tests.worlds.applications import filing, handing_over
from tests.worlds.decisions import R19, R21, Office, a_stranger, office, state_against

__all__ = ["office"]  # pytest finds fixtures by name


class Teller:
    """Tells of a case's paper as documents and notify would, by their own outbox."""

    def __init__(self, office: Office, case: application_pb2.Application) -> None:
        self._office = office
        self._case = case
        self.document_id = str(uuid4())
        self._ids: dict[str, Any] = {
            "school_id": str(office.school.school_id),
            "document_id": self.document_id,
            "kind": document_pb2.DOCUMENT_KIND_REFUSAL,
            "application_id": case.application_id,
            "applicant_id": case.applicants[0].applicant_id,
        }

    async def issued(self) -> None:
        await self._tell("documents", document_events.DocumentIssued(**self._ids))

    async def signed(self, state: Any = document_pb2.DOCUMENT_STATE_SIGNED_ON_PAPER) -> None:
        """By the secretary's hand; a scan is confirmed by the head."""
        people, is_scan = self._office.school.people, state == document_pb2.DOCUMENT_STATE_SIGNED_ON_PAPER
        told = document_events.DocumentSigned(
            **self._ids,
            state=state,
            uploader_account_id=str(people["secretary"].account_id),
            confirmer_account_id=str(people["head"].account_id) if is_scan else "",
        )
        await self._tell("documents", told)

    async def letter(self, kind: Any) -> None:
        await self._tell("notify", kind(school_id=self._ids["school_id"], document_id=self.document_id))

    async def see(self, holds: Callable[[refusal_pb2.DecisionPaper], bool], why: str) -> application_pb2.Application:
        """The case when its paper is so."""

        async def find() -> application_pb2.Application | None:
            found = await self._office.read(self._case)
            return found if holds(found.applicants[0].decision) else None

        seen: application_pb2.Application = await eventually(find, seconds=30, why=why)
        return seen

    async def _tell(self, service: str, message: Any) -> None:
        database = await Database.connect(self._office.backends.clone.app_dsns[service], service, size=1)
        school_id = self._office.school.school_id
        async with database.school(school_id) as connection, connection.transaction():
            await outbox.add(connection, SystemClock(), message, school_id)
        await database.close()


async def test_a_paper_is_signed_and_handed_over_and_the_case_says_so(office: Office, school: SchoolWorld) -> None:
    """Clauses R22, R23: not given before the head's signature; the log says how it went, once."""
    case = await office.refuse(state_against(school, "mother"), R21)
    given, teller = handing_over(school, case), Teller(office, case)
    not_ready = (grpc.StatusCode.FAILED_PRECONDITION, "DECISION_NOT_READY")
    assert await refused(office.stub.RecordHandOver(given, metadata=office.teacher)) == not_ready
    await teller.issued()
    await teller.see(lambda paper: paper.document_id == teller.document_id, "the paper is known")
    early = (grpc.StatusCode.FAILED_PRECONDITION, "DECISION_NOT_SIGNED")
    assert await refused(office.stub.RecordHandOver(given, metadata=office.teacher)) == early
    for _ in range(2):
        await teller.signed()
    await teller.see(lambda paper: paper.signing_way == refusal_pb2.SIGNING_WAY_PAPER, "the signature is known")
    for _ in range(2):
        answer = (await office.stub.RecordHandOver(given, metadata=office.teacher)).application
    decision = answer.applicants[0].decision
    assert decision.channel == refusal_pb2.DECISION_CHANNEL_IN_PERSON
    assert decision.delivered_by
    lines = [(line.ground, line.actor_name) for line in answer.log]
    assert lines[-3:] == [
        ("загружена скан-копия решения, подписанного на бумаге", "Письмова И. О."),
        ("скан-копия решения подтверждена", "Супрун И. Е."),
        ("решение выдано лично", answer.log[-1].actor_name),
    ]


async def test_what_is_told_in_another_order_ends_the_same(office: Office, school: SchoolWorld) -> None:
    """Order is not promised: the letter's success before the signature, the signature before the paper."""
    case = await office.refuse(filing(school, school.people["vera"], a_stranger()), R19)
    teller = Teller(office, case)
    await teller.letter(notify_events.DeliverySucceeded)
    await teller.signed(document_pb2.DOCUMENT_STATE_SIGNED_ELECTRONICALLY)
    seen = await teller.see(lambda paper: paper.channel == refusal_pb2.DECISION_CHANNEL_EMAIL, "the delivery is known")
    await teller.issued()
    assert seen.applicants[0].decision.signing_way == refusal_pb2.SIGNING_WAY_ELECTRONIC
    assert not seen.applicants[0].decision.delivered_by


@pytest.mark.parametrize("kind", [notify_events.DeliverySucceeded, notify_events.DeliveryFailed])
async def test_what_became_of_a_letter_waits_for_its_paper(office: Office, school: SchoolWorld, kind: Any) -> None:
    """However long documents needs to tell of paper and signature, the event is not tried to death."""
    case = await office.refuse(state_against(school, "mother"), R21)
    teller = Teller(office, case)
    database = await Database.connect(office.backends.clone.app_dsns["access"], "access", size=1)
    told = kind(school_id=str(school.school_id), document_id=teller.document_id)
    subject = told.DESCRIPTOR.full_name
    event = events.Event(uuid4(), subject, school.school_id, SystemClock().now(), told.SerializeToString())
    handle = Consumers(database, SystemClock()).handlers()[subject]
    with pytest.raises(events.Later):
        await handle(event)
    await teller.issued()
    await teller.see(lambda paper: paper.document_id == teller.document_id, "the paper is known")
    if kind is notify_events.DeliverySucceeded:
        with pytest.raises(events.Later):
            await handle(event)
        await teller.signed()
        await teller.see(lambda paper: paper.signing_way == refusal_pb2.SIGNING_WAY_PAPER, "the signature is known")
    await handle(event)
    await database.close()


async def test_a_letter_that_was_given_up_is_told_in_the_case_until_the_decision_is_given(
    office: Office, school: SchoolWorld, admin: Any
) -> None:
    """Clauses R23, R26: the decision is then given in person."""
    case = await office.refuse(filing(school, school.people["vera"], a_stranger()), R19)
    teller = Teller(office, case)
    await teller.signed()
    await teller.letter(notify_events.DeliveryFailed)

    async def count_failures() -> int:
        return sum("не доставлено по электронной почте" in line.ground for line in (await office.read(case)).log)

    async def are_heard(letters: int) -> bool:
        heard = "SELECT count(*) FROM access.inbox WHERE event_id IN (SELECT event_id FROM notify.outbox WHERE school_id = $1)"
        return bool(await admin.fetchval(heard, school.school_id) == letters)

    await eventually(count_failures, seconds=30, why="the failure is told")
    await office.stub.RecordHandOver(handing_over(school, case), metadata=office.teacher)
    # What is told of letters after all changes neither how it was given nor what is asked for.
    await teller.letter(notify_events.DeliverySucceeded)
    await teller.letter(notify_events.DeliveryFailed)
    await eventually(lambda: are_heard(3), seconds=30, why="both are heard")
    decision = (await office.read(case)).applicants[0].decision
    assert decision.channel == refusal_pb2.DECISION_CHANNEL_IN_PERSON
    assert decision.delivered_by
    assert await count_failures() == 1


async def test_the_database_takes_no_paper_given_before_it_was_signed(office: Office, school: SchoolWorld, admin: Any) -> None:
    case = await office.refuse(state_against(school, "mother"), R21)
    with pytest.raises(asyncpg.CheckViolationError):
        await admin.execute(
            """
            INSERT INTO decision_papers (school_id, document_id, application_id, applicant_id, issue_time, channel,
                                         deliver_time)
            VALUES ($1, $2, $3, $4, now(), 2, now())
            """,
            school.school_id,
            uuid4(),
            UUID(case.application_id),
            UUID(case.applicants[0].applicant_id),
        )
