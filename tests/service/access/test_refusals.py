"""Refusals by one of three grounds, signed by the head with the second factor (Clauses R19-R24)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
import pyotp
import pytest

from chassis.clock import SetClock
from diary.access.v1 import (
    application_pb2,
    application_service_pb2_grpc,
    events_pb2,
    refusal_pb2,
    session_service_pb2,
    session_service_pb2_grpc,
)
from diary.access.v1 import application_service_pb2 as pb
from tests.support.eventually import eventually
from tests.support.services import refused
from tests.support.statements import sent
from tests.worlds.access import PASSWORD, START, SchoolWorld
from tests.worlds.access_service import Backends, Serve
from tests.worlds.applications import add_vera, filing, granting, mother, say_details

R19, R20, R21 = (
    refusal_pb2.REFUSAL_GROUND_NOT_AN_APPLICANT,
    refusal_pb2.REFUSAL_GROUND_NOT_A_STUDENT,
    refusal_pb2.REFUSAL_GROUND_OWN_STATEMENT,
)
UNPROVED = (grpc.StatusCode.FAILED_PRECONDITION, "GROUND_NOT_PROVED")
WRONG_CODE = (grpc.StatusCode.UNAUTHENTICATED, "CODE_WRONG")
WRONG_ROLE = (grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return application_service_pb2_grpc.ApplicationServiceStub(channel)


@pytest.fixture
def teacher(backends: Backends, school: SchoolWorld) -> Any:
    return backends.sign_in(school.people["class_teacher"], "class_teacher")


class Head:
    """The head with a confirmed second factor, whose clock goes a step on for each code."""

    def __init__(self, metadata: Any, secret: str) -> None:
        self.metadata = metadata
        self._totp = pyotp.TOTP(secret)

    def code(self, ahead: int = 1) -> str:
        """The code of the step after this one: that of this step confirmed the secret."""
        return self._totp.at(datetime.now(UTC) + timedelta(seconds=30 * ahead))  # noqa: TID251


async def _enrol(channel: grpc.aio.Channel, metadata: Any) -> str:
    sessions = session_service_pb2_grpc.SessionServiceStub(channel)
    request = session_service_pb2.EnrolTotpRequest(request_id=str(uuid4()), password=PASSWORD)
    answer = await sessions.EnrolTotp(request, metadata=metadata)
    assert answer.link.startswith("otpauth://totp/")
    code = pyotp.TOTP(answer.secret).at(datetime.now(UTC) - timedelta(seconds=30))  # noqa: TID251
    confirm = session_service_pb2.ConfirmTotpRequest(request_id=str(uuid4()), one_time_code=code)
    await sessions.ConfirmTotp(confirm, metadata=metadata)
    secret: str = answer.secret
    return secret


@pytest.fixture
async def head(channel: grpc.aio.Channel, backends: Backends, school: SchoolWorld) -> Head:
    await add_vera(school)
    metadata = backends.sign_in(school.people["head"], "head")
    return Head(metadata, await _enrol(channel, metadata))


def _statement(school: SchoolWorld, signer: str) -> pb.RegisterApplicationRequest:
    applicant = application_pb2.FiledApplicant(
        person_id=str(school.people[signer].person_id), credentials_way=application_pb2.CREDENTIALS_WAY_IN_PERSON
    )
    return filing(school, school.people["anna"], applicant, kind=application_pb2.APPLICATION_KIND_APPENDIX_3)


def _proposal(school: SchoolWorld, application_id: str, ground: Any) -> pb.ProposeRefusalRequest:
    return pb.ProposeRefusalRequest(
        school_id=str(school.school_id), application_id=application_id, request_id=str(uuid4()), ground=ground
    )


def _signature(school: SchoolWorld, code: str, *ids: str) -> pb.SignRefusalsRequest:
    return pb.SignRefusalsRequest(
        school_id=str(school.school_id), request_id=str(uuid4()), application_ids=ids, one_time_code=code
    )


async def _register(stub: Any, request: pb.RegisterApplicationRequest, metadata: Any) -> str:
    application_id: str = (await stub.RegisterApplication(request, metadata=metadata)).application.application_id
    return application_id


async def test_the_head_signs_many_statements_at_once_and_each_gets_its_number(
    stub: Any, admin: Any, school: SchoolWorld, teacher: Any, head: Head
) -> None:
    """Clauses R21, R22, R24, decision 5; the deadline is met by the decision."""
    ids = [await _register(stub, _statement(school, signer), teacher) for signer in ("mother", "father")]
    for application_id in ids:
        proposed = await stub.ProposeRefusal(_proposal(school, application_id, R21), metadata=teacher)
        assert proposed.application.state == application_pb2.APPLICATION_STATE_REFUSAL_PROPOSED
        assert proposed.application.refusal.evidence.startswith("заявление (приложение № 3) от ")
    request = _signature(school, head.code(), *ids)
    answer = await stub.SignRefusals(request, metadata=head.metadata)
    year = datetime.now(UTC).year  # noqa: TID251
    assert sorted(one.refusal.number for one in answer.applications) == [f"1-ЭДО/{year}", f"2-ЭДО/{year}"]
    assert {one.state for one in answer.applications} == {application_pb2.APPLICATION_STATE_REFUSED}
    assert {one.refusal.signer_name for one in answer.applications} == {"Супрун И. Е."}
    assert all(one.applicants[0].HasField("met_time") for one in answer.applications)
    again = await stub.SignRefusals(request, metadata=head.metadata)
    assert [one.refusal for one in again.applications] == [one.refusal for one in answer.applications]
    statements = await admin.fetch("SELECT application_id, statement_id FROM refusals WHERE school_id = $1", school.school_id)
    assert all(row["application_id"] == row["statement_id"] for row in statements)


async def test_many_refusals_are_signed_by_as_many_statements_as_few(
    stub: Any, admin: Any, school: SchoolWorld, teacher: Any, head: Head
) -> None:
    """Clause R22: each has its number, its proof, its line in the log and its event all the same."""
    asked: list[int] = []
    for count in (2, 6):
        ids = [
            await _register(
                stub, filing(school, school.people["vera"], mother(authority_document="", is_another_person=True)), teacher
            )
            for _ in range(count)
        ]
        for application_id in ids:
            await stub.ProposeRefusal(_proposal(school, application_id, R19), metadata=teacher)
        with sent() as statements:
            answer = await stub.SignRefusals(_signature(school, head.code(len(asked)), *ids), metadata=head.metadata)
        asked.append(len(statements))
    assert asked[0] == asked[1]
    year = datetime.now(UTC).year  # noqa: TID251
    assert [one.refusal.number for one in answer.applications] == [f"{number}-ЭДО/{year}" for number in range(3, 9)]
    logged = await admin.fetch(
        "SELECT application_id, ground FROM case_log WHERE state = 5 AND school_id = $1", school.school_id
    )
    numbers = {str(row["application_id"]): row["ground"].partition("№ ")[2].partition(",")[0] for row in logged}
    assert all(numbers[one.application_id] == one.refusal.number for one in answer.applications)
    met = await admin.fetch("SELECT evidence FROM deadlines WHERE school_id = $1 AND met_time IS NOT NULL", school.school_id)
    assert {row["evidence"] for row in met} >= {f"refusal {one.refusal.number}" for one in answer.applications}
    told = "SELECT payload FROM outbox WHERE subject = 'diary.access.v1.ApplicationDecided' AND school_id = $1"
    events = [events_pb2.ApplicationDecided.FromString(row["payload"]) for row in await admin.fetch(told, school.school_id)]
    assert {one.application_id for one in answer.applications} <= {event.application_id for event in events}


async def test_a_code_counts_once_and_a_wrong_one_never(
    stub: Any, admin: Any, school: SchoolWorld, teacher: Any, head: Head
) -> None:
    """Clause R22: the second factor is asked again for each act."""
    ids = [await _register(stub, _statement(school, signer), teacher) for signer in ("mother", "father")]
    for application_id in ids:
        await stub.ProposeRefusal(_proposal(school, application_id, R21), metadata=teacher)
    for wrong in (head.code(-5), head.code(5)):
        assert await refused(stub.SignRefusals(_signature(school, wrong, ids[0]), metadata=head.metadata)) == WRONG_CODE
    code = head.code()
    await stub.SignRefusals(_signature(school, code, ids[0]), metadata=head.metadata)
    assert await refused(stub.SignRefusals(_signature(school, code, ids[1]), metadata=head.metadata)) == WRONG_CODE
    assert (
        await admin.fetchval("SELECT count(*) FROM refusals WHERE school_id = $1 AND number IS NOT NULL", school.school_id) == 1
    )


async def test_a_signature_that_is_sent_twice_at_once_is_one_and_both_get_its_answer(
    stub: Any, admin: Any, school: SchoolWorld, teacher: Any, head: Head
) -> None:
    """Clause R22: a double click; the second comes while the first has used the code and waits to sign."""
    application_id = await _register(stub, _statement(school, "mother"), teacher)
    await stub.ProposeRefusal(_proposal(school, application_id, R21), metadata=teacher)
    request = _signature(school, head.code(), application_id)
    used = "SELECT last_step FROM second_factors WHERE account_id = $1", school.people["head"].account_id
    before = await admin.fetchval(*used)

    async def is_code_used() -> bool:
        return bool(await admin.fetchval(*used) > before)

    async with admin.transaction():
        await admin.execute("SELECT FROM applications WHERE application_id = $1 FOR UPDATE", application_id)
        first = asyncio.ensure_future(stub.SignRefusals(request, metadata=head.metadata))
        await eventually(is_code_used)
        second = asyncio.ensure_future(stub.SignRefusals(request, metadata=head.metadata))
        # Another act by the same code is none of its repeats.
        other = _signature(school, request.one_time_code, application_id)
        assert await refused(stub.SignRefusals(other, metadata=head.metadata)) == WRONG_CODE
    answers = [await first, await second]
    assert answers[0].applications[0].refusal == answers[1].applications[0].refusal
    assert answers[0].applications[0].refusal.number


async def test_a_signature_that_was_lost_after_its_code_is_repeated_with_it(
    stub: Any, admin: Any, school: SchoolWorld, teacher: Any, head: Head
) -> None:
    """Clause R22: a call that may be repeated on UNAVAILABLE may be so after its code was used; for as long as a code holds."""
    application_id = await _register(stub, _statement(school, "mother"), teacher)
    await stub.ProposeRefusal(_proposal(school, application_id, R21), metadata=teacher)
    request = _signature(school, head.code(), application_id)
    async with admin.transaction():
        await admin.execute("SELECT FROM applications WHERE application_id = $1 FOR UPDATE", application_id)
        away = await refused(stub.SignRefusals(request, metadata=head.metadata, timeout=15))
    assert away == (grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")
    answer = await stub.SignRefusals(request, metadata=head.metadata)
    assert answer.applications[0].refusal.number


async def test_nobody_but_the_head_signs_and_not_without_a_second_factor(
    stub: Any, backends: Backends, school: SchoolWorld, teacher: Any
) -> None:
    """Clause R22."""
    await add_vera(school)
    application_id = await _register(stub, _statement(school, "mother"), teacher)
    await stub.ProposeRefusal(_proposal(school, application_id, R21), metadata=teacher)
    request = _signature(school, "123456", application_id)
    for key, role in (
        ("class_teacher", "class_teacher"),
        ("admin", "admin"),
        ("secretary", "secretary"),
        ("mother", "guardian"),
    ):
        assert await refused(stub.SignRefusals(request, metadata=backends.sign_in(school.people[key], role))) == WRONG_ROLE
    pretending = backends.sign_in(school.people["admin"], "head")
    assert await refused(stub.SignRefusals(request, metadata=pretending)) == (grpc.StatusCode.NOT_FOUND, "SCHOOL_NOT_FOUND")
    without = backends.sign_in(school.people["head"], "head")
    assert await refused(stub.SignRefusals(request, metadata=without)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "TOTP_NOT_ENROLLED",
    )


@pytest.mark.parametrize("ground", [R19, R20, R21])
async def test_a_proved_application_is_refused_by_no_ground(stub: Any, school: SchoolWorld, teacher: Any, ground: Any) -> None:
    """Clauses R19-R21: a closed list, each with its evidence."""
    vera = await add_vera(school)
    application_id = await _register(stub, filing(school, vera), teacher)
    assert await refused(stub.ProposeRefusal(_proposal(school, application_id, ground), metadata=teacher)) == UNPROVED


async def test_who_shows_no_document_is_no_applicant(stub: Any, school: SchoolWorld, teacher: Any) -> None:
    """Clause R19."""
    vera = await add_vera(school)
    application_id = await _register(stub, filing(school, vera, mother(authority_document="")), teacher)
    assert await refused(stub.ProposeRefusal(_proposal(school, application_id, R20), metadata=teacher)) == UNPROVED
    refusal = (await stub.ProposeRefusal(_proposal(school, application_id, R19), metadata=teacher)).application.refusal
    assert refusal.evidence.startswith("родство не подтверждено на ")
    assert refusal.evidence.endswith("Иванова Мария Петровна (мать)")


async def test_the_enrolment_is_checked_again_when_the_head_signs(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld, teacher: Any, head: Head
) -> None:
    """Clause R20: as it was at decision time, towards a proved relation."""
    vera = school.people["vera"]
    application_id = await _register(stub, filing(school, vera), teacher)
    enrolled = "UPDATE enrolments SET validity = daterange($2, $3) WHERE student_id = $1"
    placed = await admin.fetchrow("SELECT * FROM placements WHERE student_id = $1", vera.person_id)
    await admin.execute("DELETE FROM placements WHERE student_id = $1", vera.person_id)
    await admin.execute(enrolled, vera.person_id, START, START + timedelta(days=30))
    office = backends.sign_in(school.people["admin"], "admin")
    proposed = await stub.ProposeRefusal(_proposal(school, application_id, R20), metadata=office)
    assert "обучающимся школы не является" in proposed.application.refusal.evidence
    await admin.execute(enrolled, vera.person_id, START, None)
    assert placed is not None
    request = _signature(school, head.code(), application_id)
    assert await refused(stub.SignRefusals(request, metadata=head.metadata)) == UNPROVED


@pytest.mark.parametrize("end", ["refused", "withdrawn", "granted"])
async def test_a_case_about_one_who_never_was_enrolled_ends_like_any_other(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld, head: Head, end: str
) -> None:
    """Clauses R20, R24: its clock has never started, and it waits for no term."""
    vera, office = school.people["vera"], backends.sign_in(school.people["admin"], "admin")
    placed = await admin.fetchrow("DELETE FROM placements WHERE student_id = $1 RETURNING class_id", vera.person_id)
    await admin.execute("DELETE FROM enrolments WHERE student_id = $1", vera.person_id)
    application_id = await _register(stub, filing(school, vera), office)
    if end == "refused":
        proposed = await stub.ProposeRefusal(_proposal(school, application_id, R20), metadata=office)
        assert proposed.application.refusal.reason == refusal_pb2.REFUSAL_REASON_NOT_ENROLLED
        signed = await stub.SignRefusals(_signature(school, head.code(), application_id), metadata=head.metadata)
        assert signed.applications[0].state == application_pb2.APPLICATION_STATE_REFUSED
    elif end == "withdrawn":
        withdrawal = pb.WithdrawApplicationRequest(
            school_id=str(school.school_id), application_id=application_id, request_id=str(uuid4())
        )
        withdrawn = await stub.WithdrawApplication(withdrawal, metadata=office)
        assert withdrawn.application.state == application_pb2.APPLICATION_STATE_WITHDRAWN
    else:
        await school.enrol(vera, placed["class_id"])
        granted = await stub.GrantApplication(granting(school, application_id), metadata=office)
        assert granted.application.state == application_pb2.APPLICATION_STATE_GRANTED


async def test_what_is_refused_is_not_granted_and_what_is_granted_is_not_refused(
    stub: Any, backends: Backends, school: SchoolWorld, teacher: Any, head: Head
) -> None:
    """Clause R24: one of the two."""
    decided = (grpc.StatusCode.FAILED_PRECONDITION, "APPLICATION_DECIDED")
    granted = await _register(stub, filing(school, school.people["vera"]), teacher)
    await stub.GrantApplication(granting(school, granted), metadata=teacher)
    assert await refused(stub.ProposeRefusal(_proposal(school, granted, R19), metadata=teacher)) == decided
    nothing = _signature(school, head.code(), await _register(stub, _statement(school, "mother"), teacher))
    assert await refused(stub.SignRefusals(nothing, metadata=head.metadata)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "NO_REFUSAL_PROPOSED",
    )


async def test_the_database_takes_exactly_one_ground_with_its_evidence(
    stub: Any, admin: Any, school: SchoolWorld, teacher: Any
) -> None:
    await say_details(school)
    application_id = await _register(stub, _statement(school, "mother"), teacher)
    await stub.ProposeRefusal(_proposal(school, application_id, R21), metadata=teacher)
    for change in ("ground = 4", "ground = 1", "statement_id = NULL", "evidence = ''", "number = 1"):
        with pytest.raises(asyncpg.CheckViolationError):
            await admin.execute(f"UPDATE refusals SET {change} WHERE application_id = $1", application_id)


async def test_sign_in_asks_for_the_code_once_the_factor_is_confirmed(
    serve: Serve, backends: Backends, school: SchoolWorld
) -> None:
    clock = SetClock(datetime.now(UTC))  # noqa: TID251
    async with serve(clock=clock) as channel:
        sessions = session_service_pb2_grpc.SessionServiceStub(channel)
        login = school.people["admin"].login
        secret = await _enrol(channel, backends.sign_in(school.people["admin"], "admin"))

        def request(code: str = "") -> session_service_pb2.CreateSessionRequest:
            return session_service_pb2.CreateSessionRequest(login=login, password=PASSWORD, one_time_code=code)

        assert await refused(sessions.CreateSession(request())) == (grpc.StatusCode.UNAUTHENTICATED, "CODE_MISSING")
        wrong = pyotp.TOTP(secret).at(clock.now() + timedelta(minutes=5))
        assert await refused(sessions.CreateSession(request(wrong))) == WRONG_CODE
        code = pyotp.TOTP(secret).at(clock.now())
        assert (await sessions.CreateSession(request(code))).tokens.access_token
        assert await refused(sessions.CreateSession(request(code))) == WRONG_CODE
        enrol = session_service_pb2.EnrolTotpRequest(request_id=str(uuid4()), password=PASSWORD)
        metadata = backends.sign_in(school.people["admin"], "admin")
        assert await refused(sessions.EnrolTotp(enrol, metadata=metadata)) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "TOTP_ENROLLED",
        )
