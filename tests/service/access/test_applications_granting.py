"""From a registered case to the grant: the checklist, who grants, what is written (Clauses R6, R9-R12, R24-R26)."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
import pytest_asyncio

from chassis.clock import SystemClock
from diary.access.v1 import application_pb2, application_service_pb2_grpc, events_pb2
from diary.access.v1 import application_service_pb2 as pb
from tests.support.services import refused
from tests.worlds.access import Person, SchoolWorld
from tests.worlds.access_service import Backends
from tests.worlds.applications import (
    DOCUMENT,
    add_vera,
    by_email,
    filing,
    granting,
    handing_over,
    mother,
    set_birth_date,
)

NO_CASE = (grpc.StatusCode.NOT_FOUND, "APPLICATION_NOT_FOUND")
WRONG_ROLE = (grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return application_service_pb2_grpc.ApplicationServiceStub(channel)


@pytest_asyncio.fixture
async def vera(school: SchoolWorld) -> Person:
    return await add_vera(school)


@pytest.fixture
def teacher(backends: Backends, school: SchoolWorld) -> Any:
    """Metadata of the class teacher of Vera's class."""
    return backends.sign_in(school.people["class_teacher"], "class_teacher")


async def _registered(stub: Any, request: pb.RegisterApplicationRequest, metadata: Any) -> application_pb2.Application:
    application: application_pb2.Application = (await stub.RegisterApplication(request, metadata=metadata)).application
    return application


async def _events(school: SchoolWorld, message: Any) -> list[Any]:
    rows = await school.connection.fetch(
        "SELECT payload FROM access.outbox WHERE subject = $1 AND school_id = $2 ORDER BY event_number",
        message.DESCRIPTOR.full_name,
        school.school_id,
    )
    return [message.FromString(row["payload"]) for row in rows]


async def test_the_checklist_shows_the_facts(stub: Any, school: SchoolWorld, vera: Person, teacher: Any) -> None:
    """Clauses R10, R11, R12, R6."""
    case = await _registered(stub, filing(school, vera), teacher)
    registered = f"{case.register_time.ToDatetime() + timedelta(hours=3):%d.%m.%Y}"
    assert [(item.clause, item.is_met, item.evidence) for item in case.checklist] == [
        ("R10", True, "приказ от 30.08.2020 № 15-у"),
        ("R11", True, "данные внесены, класс 8-А"),
        ("R12", True, f"№ {case.number} от {registered}"),
        ("R6", True, f"Иванова Мария Петровна — мать, {DOCUMENT}"),
    ]


async def test_a_grant_waits_for_the_checklist(stub: Any, school: SchoolWorld, vera: Person, teacher: Any) -> None:
    """Clauses R10, R11, R6: what lacks is named, and nothing is granted."""
    await set_birth_date(school, vera, None)
    case = await _registered(stub, filing(school, vera, mother(authority_document="")), teacher)
    with pytest.raises(grpc.aio.AioRpcError, match="not yet fulfilled: R11,R6") as caught:
        await stub.GrantApplication(granting(school, case.application_id), metadata=teacher)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert await _events(school, events_pb2.GrantIssued) == []


def _showing(school: SchoolWorld, case: application_pb2.Application, document: str, **other: str) -> pb.ShowAuthorityRequest:
    return pb.ShowAuthorityRequest(
        school_id=str(school.school_id),
        application_id=case.application_id,
        applicant_id=case.applicants[0].applicant_id,
        request_id=str(uuid4()),
        authority_document=document,
        **other,
    )


async def test_a_document_that_is_shown_after_the_registration_opens_the_way_to_the_grant(
    stub: Any, backends: Backends, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    """Clauses R2, R6: it stands in the case, its log says who noted it."""
    case = await _registered(stub, filing(school, vera, mother(authority_document="")), teacher)
    request = _showing(school, case, " Свидетельство  о рождении № 7 ", authority_date="2012-05-20")
    secretary = backends.sign_in(school.people["secretary"], "secretary")
    shown = (await stub.ShowAuthority(request, metadata=secretary)).application
    assert shown.applicants[0].authority_document == "Свидетельство о рождении № 7"
    assert shown.applicants[0].authority_date == "2012-05-20"
    assert [item.is_met for item in shown.checklist if item.clause == "R6"] == [True]
    assert shown.log[-1].ground == "предъявлен документ: Иванова Мария Петровна (мать), Свидетельство о рождении № 7"
    assert shown.etag != case.etag
    assert (await stub.ShowAuthority(request, metadata=secretary)).application.etag == shown.etag
    better = (await stub.ShowAuthority(_showing(school, case, "паспорт № 8"), metadata=secretary)).application
    assert better.log[-1].ground.endswith("(мать), паспорт № 8; прежде: Свидетельство о рождении № 7")
    granted = (await stub.GrantApplication(granting(school, case.application_id), metadata=teacher)).application
    assert granted.state == application_pb2.APPLICATION_STATE_GRANTED
    late = _showing(school, case, "паспорт № 9")
    assert await refused(stub.ShowAuthority(late, metadata=teacher)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "APPLICATION_DECIDED",
    )


async def test_a_document_that_cannot_show_a_relation_is_not_noted(
    stub: Any, backends: Backends, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    """Clause R6."""
    case = await _registered(stub, filing(school, vera, mother(authority_document="")), teacher)
    for document in ("x", "<b>", "\u00ad", "\u200b"):
        assert await refused(stub.ShowAuthority(_showing(school, case, document), metadata=teacher)) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "AUTHORITY_DOCUMENT_INVALID",
        )
    head = backends.sign_in(school.people["head"], "head")
    wrong = await refused(stub.ShowAuthority(_showing(school, case, "паспорт № 9"), metadata=head))
    assert wrong == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")
    own = application_pb2.FiledApplicant(
        person_id=str(vera.person_id), credentials_way=application_pb2.CREDENTIALS_WAY_IN_PERSON
    )
    by_student = await _registered(stub, filing(school, vera, own), teacher)
    nothing = await refused(stub.ShowAuthority(_showing(school, by_student, "паспорт № 9"), metadata=teacher))
    assert nothing == (grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_TO_SHOW")


async def test_a_relation_on_record_is_shown_anew_when_its_term_is_over_and_not_before(
    stub: Any, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    """Clause R6: the days of the one before stay its own."""
    first = await _registered(stub, filing(school, vera), teacher)
    await stub.GrantApplication(granting(school, first.application_id), metadata=teacher)
    second = await _registered(stub, filing(school, vera, mother(person_id=first.applicants[0].person_id)), teacher)
    early = await refused(stub.ShowAuthority(_showing(school, second, "паспорт № 8"), metadata=teacher))
    assert early == (grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_TO_SHOW")
    day = SystemClock().now().date()
    over = "UPDATE access.guardianships SET validity = daterange($2, $3) WHERE student_id = $1"
    await school.connection.execute(over, vera.person_id, day - timedelta(days=30), day - timedelta(days=1))
    filed = """
        UPDATE access.applications
        SET receive_time = receive_time - interval '9 days', register_time = register_time - interval '9 days'
        WHERE application_id = $1
    """
    await school.connection.execute(filed, UUID(second.application_id))
    shown = (await stub.ShowAuthority(_showing(school, second, "паспорт № 8"), metadata=teacher)).application
    assert [item.is_met for item in shown.checklist if item.clause == "R6"] == [True]
    await stub.GrantApplication(granting(school, second.application_id), metadata=teacher)
    kept = "SELECT document, lower(validity) FROM access.guardianships WHERE student_id = $1 ORDER BY validity"
    assert [tuple(row.values()) for row in await school.connection.fetch(kept, vera.person_id)] == [
        (DOCUMENT, day - timedelta(days=30)),
        ("паспорт № 8", day - timedelta(days=1)),
    ]


async def test_granting_opens_account_grant_relation_and_meets_the_deadline(
    stub: Any, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    """Clauses R9, R12, R15, R24."""
    case = await _registered(stub, filing(school, vera, is_for_student_too=True), teacher)
    request = granting(school, case.application_id)
    granted = (await stub.GrantApplication(request, metadata=teacher)).application
    assert granted.state == application_pb2.APPLICATION_STATE_GRANTED
    assert granted.etag != case.etag
    assert granted.applicants[0].login.rstrip("0123456789") == "ivanova.mp"
    assert granted.applicants[1].login == vera.login
    assert [a.is_activated for a in granted.applicants] == [False, True]
    assert all(a.HasField("met_time") and a.grant_id for a in granted.applicants)
    assert granted.log[-1].ground.startswith("доступ предоставлен: приказ от 30.08.2020 № 15-у; данные внесены")
    rows = await school.connection.fetch(
        """
        SELECT g.application_number, g.granted_by_role, g.role, r.object_id, r.role AS relation_role
        FROM access.grants g JOIN access.relations r ON r.fact_id = g.grant_id
        WHERE g.school_id = $1 AND g.student_id = $2 ORDER BY g.role DESC
        """,
        school.school_id,
        vera.person_id,
    )
    assert [tuple(row.values()) for row in rows] == [
        (case.number, 6, 4, vera.person_id, 4),
        (case.number, 6, 3, vera.person_id, 3),
    ]
    assert len(await _events(school, events_pb2.GrantIssued)) == 2
    assert [e.application_id for e in await _events(school, events_pb2.ApplicationDecided)] == [case.application_id]
    assert await _events(school, events_pb2.CredentialsReady) == []
    again = (await stub.GrantApplication(request, metadata=teacher)).application
    assert again == granted
    refusal = await refused(stub.GrantApplication(granting(school, case.application_id), metadata=teacher))
    assert refusal == (grpc.StatusCode.FAILED_PRECONDITION, "APPLICATION_DECIDED")


async def test_credentials_by_email_are_announced_once(stub: Any, school: SchoolWorld, vera: Person, teacher: Any) -> None:
    """Clause R26."""
    case = await _registered(stub, filing(school, vera, by_email()), teacher)
    granted = (await stub.GrantApplication(granting(school, case.application_id), metadata=teacher)).application
    ready = await _events(school, events_pb2.CredentialsReady)
    assert [event.grant_id for event in ready] == [granted.applicants[0].grant_id]


async def test_a_person_with_an_own_password_gets_the_grant_alone(
    stub: Any, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    """No new login, no letter; a grant that is open already stays the one."""
    her_mother, grant_id = school.people["mother"], school.grants["mother"]
    await set_birth_date(school, school.people["anna"], date(2012, 3, 4))
    known = application_pb2.FiledApplicant(
        person_id=str(her_mother.person_id), email="m@example.org", credentials_way=application_pb2.CREDENTIALS_WAY_EMAIL
    )
    case = await _registered(stub, filing(school, school.people["anna"], known), teacher)
    granted = (await stub.GrantApplication(granting(school, case.application_id), metadata=teacher)).application
    [applicant] = granted.applicants
    assert (applicant.login, applicant.grant_id, applicant.is_activated) == (her_mother.login, str(grant_id), True)
    assert await _events(school, events_pb2.CredentialsReady) == []


@pytest.mark.parametrize(
    ("key", "role", "expected"),
    [
        ("other_class_teacher", "class_teacher", NO_CASE),
        ("secretary", "secretary", WRONG_ROLE),
        ("secretary", "admin", NO_CASE),
        ("head", "head", WRONG_ROLE),
        ("mother", "guardian", WRONG_ROLE),
    ],
)
async def test_only_own_class_teacher_and_admin_grant(
    stub: Any, backends: Backends, school: SchoolWorld, vera: Person, teacher: Any, key: str, role: str, expected: Any
) -> None:
    """Clause R9."""
    case = await _registered(stub, filing(school, vera), teacher)
    call = stub.GrantApplication(granting(school, case.application_id), metadata=backends.sign_in(school.people[key], role))
    assert await refused(call) == expected


async def test_a_class_teacher_grants_only_while_appointed(stub: Any, school: SchoolWorld, vera: Person, teacher: Any) -> None:
    """Clause R9."""
    case = await _registered(stub, filing(school, vera), teacher)
    await school.connection.execute(
        "UPDATE access.appointments SET validity = daterange(lower(validity), $3) WHERE school_id = $1 AND person_id = $2",
        school.school_id,
        school.people["class_teacher"].person_id,
        SystemClock().now().date() - timedelta(days=1),
    )
    await school.derive("class_teacher")
    call = stub.GrantApplication(granting(school, case.application_id), metadata=teacher)
    assert await refused(call) == NO_CASE


async def test_nothing_is_handed_over_before_a_slip_is_printed(
    stub: Any, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    """Clause R25."""
    case = await _registered(stub, filing(school, vera), teacher)
    await stub.GrantApplication(granting(school, case.application_id), metadata=teacher)
    refusal = await refused(stub.RecordHandOver(handing_over(school, case), metadata=teacher))
    assert refusal == (grpc.StatusCode.FAILED_PRECONDITION, "NOT_HANDED_OVER_YET")


async def test_two_cases_of_one_person_granted_at_once_open_one_account(
    stub: Any, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    """The person is held while the account is opened."""
    first = await _registered(stub, filing(school, vera), teacher)
    person_id = first.applicants[0].person_id
    second = await _registered(stub, filing(school, vera, mother(person_id=person_id)), teacher)
    calls = [stub.GrantApplication(granting(school, case.application_id), metadata=teacher) for case in (first, second)]
    answers = await asyncio.gather(*calls)
    assert len({a.application.applicants[0].login for a in answers}) == 1
    assert len({a.application.applicants[0].grant_id for a in answers}) == 1
