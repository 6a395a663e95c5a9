"""Withdrawal of an application that is not decided: by an applicant, or by staff for one (Clause R24)."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
import pytest
import pytest_asyncio

from diary.access.v1 import application_pb2, application_service_pb2_grpc, events_pb2, refusal_pb2
from diary.access.v1 import application_service_pb2 as pb
from tests.support.services import refused, refused_or_answered
from tests.worlds.access import Person, SchoolWorld, make_school
from tests.worlds.access_service import Backends
from tests.worlds.applications import add_vera, filing, granting, mother

NO_CASE = (grpc.StatusCode.NOT_FOUND, "APPLICATION_NOT_FOUND")
DECIDED = (grpc.StatusCode.FAILED_PRECONDITION, "APPLICATION_DECIDED")
NO_EFFECT = (grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_TO_WITHDRAW")


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return application_service_pb2_grpc.ApplicationServiceStub(channel)


@pytest_asyncio.fixture
async def vera(school: SchoolWorld) -> Person:
    return await add_vera(school)


@pytest.fixture
def teacher(backends: Backends, school: SchoolWorld) -> Any:
    """Metadata of the class teacher of Anna's and Vera's class."""
    return backends.sign_in(school.people["class_teacher"], "class_teacher")


@pytest.fixture
def parent(backends: Backends, school: SchoolWorld) -> Any:
    """Metadata of Anna's mother."""
    return backends.sign_in(school.people["mother"], "guardian")


def _known(school: SchoolWorld, key: str) -> application_pb2.FiledApplicant:
    person_id = str(school.people[key].person_id)
    return application_pb2.FiledApplicant(person_id=person_id, credentials_way=application_pb2.CREDENTIALS_WAY_IN_PERSON)


async def _file(stub: Any, school: SchoolWorld, metadata: Any, *signers: str, **other: Any) -> str:
    """A case of Anna's parents."""
    filed = filing(school, school.people["anna"], *(_known(school, key) for key in signers), **other)
    application_id: str = (await stub.RegisterApplication(filed, metadata=metadata)).application.application_id
    return application_id


def _withdrawal(school: SchoolWorld, application_id: str) -> pb.WithdrawApplicationRequest:
    return pb.WithdrawApplicationRequest(
        school_id=str(school.school_id), application_id=application_id, request_id=str(uuid4())
    )


async def _states(school: SchoolWorld) -> list[int]:
    """States told by ApplicationDecided."""
    rows = await school.connection.fetch(
        "SELECT payload FROM access.outbox WHERE subject = $1 AND school_id = $2 ORDER BY event_number",
        events_pb2.ApplicationDecided.DESCRIPTOR.full_name,
        school.school_id,
    )
    return [events_pb2.ApplicationDecided.FromString(row["payload"]).state for row in rows]


async def test_an_applicant_withdraws_and_sees_nothing_of_the_other(
    stub: Any, school: SchoolWorld, teacher: Any, parent: Any
) -> None:
    """Clause R24: state, log, the terms of all applicants closed, event; a repeat of the request changes nothing."""
    application_id = await _file(stub, school, teacher, "mother", "anna")
    request = _withdrawal(school, application_id)
    answer = (await stub.WithdrawApplication(request, metadata=parent)).application
    assert answer.state == application_pb2.APPLICATION_STATE_WITHDRAWN
    assert [one.person_id for one in answer.applicants] == [str(school.people["mother"].person_id), ""]
    assert (list(answer.log), list(answer.checklist)) == ([], [])
    whole = await stub.GetApplication(
        pb.GetApplicationRequest(school_id=str(school.school_id), application_id=application_id), metadata=teacher
    )
    entry = whole.application.log[-1]
    assert (entry.state, entry.ground, entry.actor_name) == (
        application_pb2.APPLICATION_STATE_WITHDRAWN,
        "заявление отозвано заявителем",
        "Ёлкина М. И.",
    )
    terms = await school.connection.fetch(
        """
        SELECT d.evidence, d.met_time = a.decide_time AS is_at_once
        FROM access.deadlines d JOIN access.applicants m ON m.applicant_id = d.subject_id
        JOIN access.applications a USING (application_id) WHERE a.application_id = $1
        """,
        UUID(application_id),
    )
    assert [tuple(row.values()) for row in terms] == [("withdrawn", True)] * 2
    assert (await stub.WithdrawApplication(request, metadata=parent)).application == answer
    assert await _states(school) == [application_pb2.APPLICATION_STATE_WITHDRAWN]


async def test_what_two_guardians_filed_neither_withdraws_alone(
    stub: Any, school: SchoolWorld, teacher: Any, parent: Any
) -> None:
    """Clause R24: the other's application stays; the school records that both withdraw it."""
    application_id = await _file(stub, school, teacher, "mother", "father")
    request = _withdrawal(school, application_id)
    another = (grpc.StatusCode.FAILED_PRECONDITION, "WITHDRAWAL_OF_ANOTHER")
    assert await refused(stub.WithdrawApplication(request, metadata=parent)) == another
    answer = (await stub.WithdrawApplication(_withdrawal(school, application_id), metadata=teacher)).application
    assert answer.state == application_pb2.APPLICATION_STATE_WITHDRAWN


@pytest.mark.parametrize(("key", "role"), [("class_teacher", "class_teacher"), ("admin", "admin"), ("secretary", "secretary")])
async def test_staff_write_down_that_an_applicant_without_an_account_withdraws(
    stub: Any, backends: Backends, school: SchoolWorld, vera: Person, teacher: Any, key: str, role: str
) -> None:
    case = (await stub.RegisterApplication(filing(school, vera, mother()), metadata=teacher)).application
    metadata = backends.sign_in(school.people[key], role)
    answer = (await stub.WithdrawApplication(_withdrawal(school, case.application_id), metadata=metadata)).application
    assert answer.log[-1].ground == "заявление отозвано заявителем, отзыв записан школой"
    assert (answer.state, answer.etag != case.etag) == (application_pb2.APPLICATION_STATE_WITHDRAWN, True)


@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("father", "guardian"),
        ("anna", "student"),
        ("other_mother", "guardian"),
        ("other_class_teacher", "class_teacher"),
        ("teacher", "class_teacher"),
        ("father", "admin"),
        ("head", "admin"),
        ("head", "head"),
        ("teacher", "teacher"),
    ],
)
async def test_nobody_else_withdraws_not_even_the_other_parent(
    stub: Any, backends: Backends, school: SchoolWorld, vera: Person, teacher: Any, key: str, role: str
) -> None:
    """Clause R32: each alone."""
    application_id = await _file(stub, school, teacher, "mother")
    call = stub.WithdrawApplication(_withdrawal(school, application_id), metadata=backends.sign_in(school.people[key], role))
    assert await refused(call) == NO_CASE
    assert await _states(school) == []


async def test_another_schools_case_is_as_absent_as_none(
    stub: Any, backends: Backends, school: SchoolWorld, teacher: Any, admin: Any
) -> None:
    """Clause R3."""
    application_id = await _file(stub, school, teacher, "mother")
    other = await make_school(admin)
    metadata = backends.sign_in(other.people["admin"], "admin")
    for where, which in ((school, application_id), (other, application_id), (other, str(uuid4()))):
        assert await refused(stub.WithdrawApplication(_withdrawal(where, which), metadata=metadata)) == NO_CASE


async def test_a_withdrawn_case_is_neither_granted_nor_refused_nor_withdrawn_again(
    stub: Any, school: SchoolWorld, teacher: Any, parent: Any
) -> None:
    application_id = await _file(stub, school, teacher, "mother")
    await stub.WithdrawApplication(_withdrawal(school, application_id), metadata=parent)
    proposal = pb.ProposeRefusalRequest(
        school_id=str(school.school_id),
        application_id=application_id,
        request_id=str(uuid4()),
        ground=refusal_pb2.REFUSAL_GROUND_NOT_A_STUDENT,
    )
    assert await refused(stub.GrantApplication(granting(school, application_id), metadata=teacher)) == DECIDED
    assert await refused(stub.ProposeRefusal(proposal, metadata=teacher)) == DECIDED
    assert await refused(stub.WithdrawApplication(_withdrawal(school, application_id), metadata=parent)) == DECIDED


async def test_a_case_whose_refusal_waits_for_the_head_is_withdrawn(
    stub: Any, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    """A proposal decides nothing yet."""
    filed = filing(school, vera, mother(authority_document=""))
    application_id = (await stub.RegisterApplication(filed, metadata=teacher)).application.application_id
    proposal = pb.ProposeRefusalRequest(
        school_id=str(school.school_id),
        application_id=application_id,
        request_id=str(uuid4()),
        ground=refusal_pb2.REFUSAL_GROUND_NOT_AN_APPLICANT,
    )
    await stub.ProposeRefusal(proposal, metadata=teacher)
    answer = await stub.WithdrawApplication(_withdrawal(school, application_id), metadata=teacher)
    assert answer.application.state == application_pb2.APPLICATION_STATE_WITHDRAWN


async def test_what_is_granted_is_not_withdrawn(stub: Any, school: SchoolWorld, vera: Person, teacher: Any) -> None:
    case = (await stub.RegisterApplication(filing(school, vera), metadata=teacher)).application
    await stub.GrantApplication(granting(school, case.application_id), metadata=teacher)
    assert await refused(stub.WithdrawApplication(_withdrawal(school, case.application_id), metadata=teacher)) == DECIDED


@pytest.mark.parametrize("kind", [application_pb2.APPLICATION_KIND_APPENDIX_2, application_pb2.APPLICATION_KIND_APPENDIX_3])
async def test_a_statement_has_had_its_effect(stub: Any, school: SchoolWorld, teacher: Any, kind: Any) -> None:
    """Clauses R30, R31: a new application gives access again. The database takes no withdrawn statement either."""
    application_id = await _file(stub, school, teacher, "mother", kind=kind)
    assert await refused(stub.WithdrawApplication(_withdrawal(school, application_id), metadata=teacher)) == NO_EFFECT
    with pytest.raises(asyncpg.CheckViolationError, match="applications_statements_are_not_withdrawn"):
        await school.connection.execute(
            "UPDATE access.applications SET state = 6, decide_time = now() WHERE application_id = $1", UUID(application_id)
        )


async def test_of_a_grant_and_a_withdrawal_at_once_one_wins(stub: Any, school: SchoolWorld, vera: Person, teacher: Any) -> None:
    for name in ("Анна", "Вера", "Инна", "Нина", "Яна"):
        filed = filing(school, vera, mother(given_name=name))
        case = (await stub.RegisterApplication(filed, metadata=teacher)).application
        results = await asyncio.gather(
            refused_or_answered(stub.GrantApplication(granting(school, case.application_id), metadata=teacher)),
            refused_or_answered(stub.WithdrawApplication(_withdrawal(school, case.application_id), metadata=teacher)),
        )
        assert sorted(results, key=str) == sorted([DECIDED, (grpc.StatusCode.OK, "")], key=str)
