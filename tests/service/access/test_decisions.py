"""What access says of a signed refusal for its paper, and how the case follows the paper (Clauses R19-R23)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
import pyotp
import pytest

from chassis import events, outbox
from chassis.clock import SystemClock, today
from chassis.db import Database
from diary.access.v1 import (
    application_pb2,
    application_service_pb2_grpc,
    decision_pb2,
    decision_service_pb2,
    decision_service_pb2_grpc,
    guardianship_pb2,
    refusal_pb2,
    roster_service_pb2,
    roster_service_pb2_grpc,
    session_service_pb2,
    session_service_pb2_grpc,
)
from diary.access.v1 import application_service_pb2 as pb
from diary.documents.v1 import document_pb2
from diary.documents.v1 import events_pb2 as document_events
from diary.notify.v1 import events_pb2 as notify_events
from services.access.cases.consumers import Consumers
from tests.support.access_region import PASSWORD, START, ZONE, SchoolWorld
from tests.support.access_service import Backends
from tests.support.applications import add_vera, by_email, filing, granting, handing_over, reading, set_birth_date
from tests.support.eventually import eventually
from tests.support.services import refused, sign_service

R19, R20, R21 = (
    refusal_pb2.REFUSAL_GROUND_NOT_AN_APPLICANT,
    refusal_pb2.REFUSAL_GROUND_NOT_A_STUDENT,
    refusal_pb2.REFUSAL_GROUND_OWN_STATEMENT,
)
FOREIGN_SERVICE = (grpc.StatusCode.PERMISSION_DENIED, "SERVICE_NOT_ALLOWED")


class Office:
    """The calls of a school's office about one case, with the head's second factor."""

    def __init__(self, channel: grpc.aio.Channel, backends: Backends, school: SchoolWorld, totp: pyotp.TOTP) -> None:
        self.stub: Any = application_service_pb2_grpc.ApplicationServiceStub(channel)
        self.decisions: Any = decision_service_pb2_grpc.DecisionServiceStub(channel)
        self.school = school
        self.backends = backends
        self.teacher = backends.sign_in(school.people["class_teacher"], "class_teacher")
        self.admin = backends.sign_in(school.people["admin"], "admin")
        self._head = backends.sign_in(school.people["head"], "head")
        self._totp = totp

    async def refuse(self, request: pb.RegisterApplicationRequest, ground: Any) -> application_pb2.Application:
        """Registered, proposed and signed."""
        case = (await self.stub.RegisterApplication(request, metadata=self.teacher)).application
        await self.propose(case.application_id, ground)
        return await self.sign(case.application_id)

    async def propose(self, application_id: str, ground: Any) -> application_pb2.Application:
        proposal = pb.ProposeRefusalRequest(
            school_id=str(self.school.school_id), application_id=application_id, request_id=str(uuid4()), ground=ground
        )
        case: application_pb2.Application = (await self.stub.ProposeRefusal(proposal, metadata=self.admin)).application
        return case

    async def sign(self, application_id: str) -> application_pb2.Application:
        code = self._totp.at(datetime.now(UTC) + timedelta(seconds=30))  # noqa: TID251
        request = pb.SignRefusalsRequest(
            school_id=str(self.school.school_id),
            request_id=str(uuid4()),
            application_ids=[application_id],
            one_time_code=code,
        )
        [case] = (await self.stub.SignRefusals(request, metadata=self._head)).applications
        signed: application_pb2.Application = case
        return signed

    async def read(self, case: application_pb2.Application) -> application_pb2.Application:
        found: application_pb2.Application = (
            await self.stub.GetApplication(reading(self.school, case.application_id), metadata=self.admin)
        ).application
        return found

    async def words(self, case: application_pb2.Application, service: str = "documents") -> list[decision_pb2.Decision]:
        request = decision_service_pb2.GetDecisionsRequest(
            school_id=str(self.school.school_id), application_id=case.application_id
        )
        metadata = sign_service(self.backends.keys_dir, service, SystemClock())
        return list((await self.decisions.GetDecisions(request, metadata=metadata)).decisions)


@pytest.fixture
async def office(channel: grpc.aio.Channel, backends: Backends, school: SchoolWorld) -> Office:
    await add_vera(school)
    head = backends.sign_in(school.people["head"], "head")
    sessions = session_service_pb2_grpc.SessionServiceStub(channel)
    enrol = session_service_pb2.EnrolTotpRequest(request_id=str(uuid4()), password=PASSWORD)
    totp = pyotp.TOTP((await sessions.EnrolTotp(enrol, metadata=head)).secret)
    code = totp.at(datetime.now(UTC) - timedelta(seconds=30))  # noqa: TID251
    await sessions.ConfirmTotp(
        session_service_pb2.ConfirmTotpRequest(request_id=str(uuid4()), one_time_code=code), metadata=head
    )
    return Office(channel, backends, school, totp)


def _statement(
    school: SchoolWorld, signer: str, kind: Any = application_pb2.APPLICATION_KIND_APPENDIX_3
) -> pb.RegisterApplicationRequest:
    applicant = application_pb2.FiledApplicant(
        person_id=str(school.people[signer].person_id), credentials_way=application_pb2.CREDENTIALS_WAY_IN_PERSON
    )
    return filing(school, school.people["anna"], applicant, kind=kind)


def _stranger(**other: Any) -> application_pb2.FiledApplicant:
    return by_email(authority_document="", **other)


async def test_to_a_stranger_the_decision_tells_nothing_of_the_child(office: Office, school: SchoolWorld) -> None:
    """Clause R19: neither name nor class; the reason is frozen with the refusal."""
    case = await office.refuse(filing(school, school.people["vera"], _stranger()), R19)
    assert case.refusal.reason == refusal_pb2.REFUSAL_REASON_RELATION_NOT_PROVED
    [said] = await office.words(case)
    assert (said.student_name, said.class_name, said.of_age_date) == ("", "", "")
    assert (said.applicant_name, said.applicant_email) == ("Иванова Мария Петровна", "ivanova@example.org")
    assert said.number == case.refusal.number
    assert said.signer_position == "Директор"
    assert said.class_id


async def test_one_who_was_of_age_when_the_head_signed_is_named_with_the_birthday(
    office: Office, school: SchoolWorld, admin: Any
) -> None:
    """Clause R19: the authority was shown, and has ended by age."""
    case = (await office.stub.RegisterApplication(filing(school, school.people["vera"]), metadata=office.teacher)).application
    vera = school.people["vera"].person_id
    await admin.execute("UPDATE people SET birth_date = '2008-02-29' WHERE person_id = $1", vera)
    await office.propose(case.application_id, R19)
    signed = await office.sign(case.application_id)
    assert signed.refusal.reason == refusal_pb2.REFUSAL_REASON_STUDENT_OF_AGE
    [said] = await office.words(signed)
    assert (said.of_age_date, said.left_date, said.student_name) == ("2026-02-28", "", "Иванова Вера")


async def test_a_power_that_has_run_out_is_told_by_its_last_day_and_no_act_is_made_up(
    office: Office, school: SchoolWorld
) -> None:
    """Clause R19."""
    dates = {"authority_date": "2025-02-01", "authority_end_date": "2026-03-01"}
    power = by_email(
        guardian_kind=guardianship_pb2.GUARDIAN_KIND_REPRESENTATIVE,
        authority_document="доверенность № 5 от 01.02.2025",
        **dates,
    )
    signed = await office.refuse(filing(school, school.people["vera"], power), R19)
    assert signed.refusal.reason == refusal_pb2.REFUSAL_REASON_AUTHORITY_ENDED
    assert signed.refusal.authority_ending == guardianship_pb2.AUTHORITY_ENDING_POWER_EXPIRED
    [said] = await office.words(signed)
    assert said.authority_ending_words == "срок действия доверенности истёк 01.03.2026"
    assert (said.authority_end_date, said.authority_act_number, said.authority_act_date) == ("2026-03-01", "", "")
    assert (said.left_date, said.of_age_date, said.student_name) == ("", "", "Иванова Вера")


@pytest.mark.parametrize(
    ("ending", "act", "words"),
    [
        (
            guardianship_pb2.AUTHORITY_ENDING_COURT_ACT,
            {"act_number": "2-145/2026", "act_date": "2026-11-20"},
            "полномочия заявителя прекращены судебным актом от 20.11.2026 № 2-145/2026",
        ),
        (guardianship_pb2.AUTHORITY_ENDING_UNSPECIFIED, {}, "полномочия заявителя прекращены "),
    ],
)
async def test_an_ended_guardianship_is_refused_by_the_act_that_is_recorded(
    channel: grpc.aio.Channel, office: Office, school: SchoolWorld, admin: Any, ending: Any, act: dict[str, str], words: str
) -> None:
    """Clauses R6, R19: at once, the same day, also of a guardianship of that day; a court's act only where one is recorded."""
    roster: Any = roster_service_pb2_grpc.RosterServiceStub(channel)
    anna, father = school.people["anna"], school.people["father"]
    await set_birth_date(school, anna, date(2012, 5, 14))
    day = today(SystemClock(), ZONE)
    guardianship_id = await admin.fetchval(
        """
        UPDATE guardianships SET validity = daterange($2, NULL) WHERE guardian_person_id = $1 RETURNING guardianship_id
        """,
        father.person_id,
        day,
    )
    known = application_pb2.FiledApplicant(
        person_id=str(father.person_id), credentials_way=application_pb2.CREDENTIALS_WAY_IN_PERSON
    )
    case = (await office.stub.RegisterApplication(filing(school, anna, known), metadata=office.teacher)).application
    end = roster_service_pb2.EndGuardianshipRequest(
        school_id=str(school.school_id),
        guardianship_id=str(guardianship_id),
        request_id=str(uuid4()),
        ground="решение суда",
        ending=ending,
        **act,
    )
    await roster.EndGuardianship(end, metadata=office.admin)
    granted = await refused(office.stub.GrantApplication(granting(school, case.application_id), metadata=office.admin))
    assert granted == (grpc.StatusCode.FAILED_PRECONDITION, "CHECKLIST_INCOMPLETE")
    await office.propose(case.application_id, R19)
    signed = await office.sign(case.application_id)
    [said] = await office.words(signed)
    assert said.authority_ending_words.startswith(words)
    assert said.authority_end_date == day.isoformat()
    assert ("судебн" in said.authority_ending_words) == bool(act)


async def test_an_act_is_recorded_whole_or_not_at_all(
    channel: grpc.aio.Channel, office: Office, school: SchoolWorld, admin: Any
) -> None:
    """Clause R19."""
    roster: Any = roster_service_pb2_grpc.RosterServiceStub(channel)
    guardianship_id = await admin.fetchval(
        "SELECT guardianship_id FROM guardianships WHERE guardian_person_id = $1", school.people["father"].person_id
    )
    for ending, act in (
        (guardianship_pb2.AUTHORITY_ENDING_COURT_ACT, {"act_number": "2-145"}),
        (guardianship_pb2.AUTHORITY_ENDING_COURT_ACT, {}),
        (guardianship_pb2.AUTHORITY_ENDING_GUARDIANSHIP_ACT, {"act_number": "5", "act_date": "2999-01-01"}),
        (guardianship_pb2.AUTHORITY_ENDING_OTHER, {"act_number": "5", "act_date": "2026-11-20"}),
        (guardianship_pb2.AUTHORITY_ENDING_POWER_EXPIRED, {}),
        (guardianship_pb2.AUTHORITY_ENDING_COURT_ACT, {"act_number": "5", "act_date": "2026-02-30"}),
    ):
        end = roster_service_pb2.EndGuardianshipRequest(
            school_id=str(school.school_id),
            guardianship_id=str(guardianship_id),
            request_id=str(uuid4()),
            ground="решение суда",
            ending=ending,
            **act,
        )
        answer = await refused(roster.EndGuardianship(end, metadata=office.admin))
        assert answer == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")


@pytest.mark.parametrize("missing", ["address", "founder", "regulation"])
async def test_no_refusal_is_proposed_or_signed_while_its_paper_cannot_be_made(
    office: Office, school: SchoolWorld, admin: Any, missing: str
) -> None:
    """Clauses R1, R22: no act that nobody adopted, no complaint to nowhere."""
    wanted = (grpc.StatusCode.FAILED_PRECONDITION, "SCHOOL_DETAILS_MISSING")
    request = filing(school, school.people["vera"], _stranger())
    case = (await office.stub.RegisterApplication(request, metadata=office.teacher)).application
    await office.propose(case.application_id, R19)
    if missing == "regulation":
        statement = "UPDATE regulation_versions SET order_number = NULL, order_date = NULL WHERE school_id = $1"
    else:
        statement = f"UPDATE school_details SET {missing} = '' WHERE school_id = $1"
    await admin.execute(statement, school.school_id)
    assert await refused(office.propose(case.application_id, R19)) == wanted
    assert await refused(office.sign(case.application_id)) == wanted
    assert (
        await admin.fetchval("SELECT count(*) FROM refusals WHERE sign_time IS NOT NULL AND school_id = $1", school.school_id)
        == 0
    )


async def test_one_who_left_is_refused_with_the_last_day_and_the_order(office: Office, school: SchoolWorld, admin: Any) -> None:
    """Clause R20: the enrolment check as it was at decision time."""
    vera = school.people["vera"].person_id
    case = (await office.stub.RegisterApplication(filing(school, school.people["vera"]), metadata=office.teacher)).application
    await admin.execute("DELETE FROM placements WHERE student_id = $1", vera)
    left = (
        "UPDATE enrolments SET validity = daterange($2, $3), end_order_number = $4, end_order_date = $3 WHERE student_id = $1"
    )
    await admin.execute(left, vera, START, START + timedelta(days=30), "77-к")
    await office.propose(case.application_id, R20)
    signed = await office.sign(case.application_id)
    assert signed.refusal.reason == refusal_pb2.REFUSAL_REASON_LEFT
    [said] = await office.words(signed)
    assert (said.left_date, said.left_order_number) == ((START + timedelta(days=29)).isoformat(), "77-к")


async def test_a_statements_decision_names_its_paper_and_when_the_access_ended(office: Office, school: SchoolWorld) -> None:
    """Clauses R8, R21, R33."""
    case = await office.refuse(_statement(school, "mother"), R21)
    [said] = await office.words(case)
    assert said.reason == refusal_pb2.REFUSAL_REASON_STATEMENT_TO_CANCEL
    assert said.paper_number.startswith("1-Р/")
    assert said.HasField("access_end_time")
    assert not said.is_own_statement_of_student
    assert (said.keeps_student_access, said.keeps_guardian_access) == (True, True)
    not_to_provide = await office.propose(
        (
            await office.stub.RegisterApplication(
                _statement(school, "father", application_pb2.APPLICATION_KIND_APPENDIX_2), metadata=office.teacher
            )
        ).application.application_id,
        R21,
    )
    assert not_to_provide.refusal.reason == refusal_pb2.REFUSAL_REASON_STATEMENT_NOT_TO_PROVIDE


async def test_a_decision_tells_of_no_access_that_nobody_has(office: Office, school: SchoolWorld, admin: Any) -> None:
    """Clause R21: the paper claims that others' access goes on only where it does."""
    others = [school.people[name].account_id for name in ("anna", "father")]
    await admin.execute("UPDATE grants SET end_time = now(), end_ground = 'revoked' WHERE account_id = ANY ($1)", others)
    [said] = await office.words(await office.refuse(_statement(school, "mother"), R21))
    assert (said.keeps_student_access, said.keeps_guardian_access) == (False, False)


async def test_an_acting_head_signs_by_the_order(office: Office, school: SchoolWorld, admin: Any) -> None:
    """Clause R22."""
    acting = "UPDATE appointments SET is_acting = true, order_number = '5', order_date = $2 WHERE person_id = $1 AND role = 11"
    await admin.execute(acting, school.people["head"].person_id, date(2026, 9, 1))
    [said] = await office.words(await office.refuse(_statement(school, "mother"), R21))
    assert said.signer_position == "Исполняющий обязанности руководителя (приказ от 01.09.2026 № 5)"


async def test_only_documents_reads_the_words_and_only_notify_the_receiver(office: Office, school: SchoolWorld) -> None:
    case = await office.refuse(filing(school, school.people["vera"], _stranger()), R19)
    for service in ("journal", "notify"):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await office.words(case, service)
        assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED
    wanted = decision_service_pb2.GetDecisionReceiverRequest(
        school_id=str(school.school_id), applicant_id=case.applicants[0].applicant_id
    )
    foreign = sign_service(office.backends.keys_dir, "documents", SystemClock())
    assert await refused(office.decisions.GetDecisionReceiver(wanted, metadata=foreign)) == FOREIGN_SERVICE
    notify = sign_service(office.backends.keys_dir, "notify", SystemClock())
    assert (await office.decisions.GetDecisionReceiver(wanted, metadata=notify)).email == "ivanova@example.org"


async def test_nobody_is_written_to_who_takes_the_decision_in_person(office: Office, school: SchoolWorld) -> None:
    """Clause R23."""
    case = await office.refuse(_statement(school, "mother"), R21)
    wanted = decision_service_pb2.GetDecisionReceiverRequest(
        school_id=str(school.school_id), applicant_id=case.applicants[0].applicant_id
    )
    notify = sign_service(office.backends.keys_dir, "notify", SystemClock())
    not_wanted = (grpc.StatusCode.FAILED_PRECONDITION, "DELIVERY_NOT_WANTED")
    assert await refused(office.decisions.GetDecisionReceiver(wanted, metadata=notify)) == not_wanted


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
    case = await office.refuse(_statement(school, "mother"), R21)
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
    case = await office.refuse(filing(school, school.people["vera"], _stranger()), R19)
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
    case = await office.refuse(_statement(school, "mother"), R21)
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
    case = await office.refuse(filing(school, school.people["vera"], _stranger()), R19)
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
    case = await office.refuse(_statement(school, "mother"), R21)
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
