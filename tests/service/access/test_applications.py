"""Cases: who registers and opens them, what is asked, what is written (Clauses R1, R2, R5, R6, R12, R29)."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chassis.clock import SystemClock
from diary.access.v1 import application_pb2, application_service_pb2_grpc, events_pb2, guardianship_pb2
from diary.access.v1 import application_service_pb2 as pb
from tests.support.services import refused
from tests.worlds.access import Person, SchoolWorld, make_school
from tests.worlds.access_service import Backends
from tests.worlds.applications import (
    add_vera,
    filing,
    granting,
    mother,
    reading,
    set_birth_date,
)

NO_STUDENT = (grpc.StatusCode.NOT_FOUND, "STUDENT_NOT_FOUND")
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


async def test_a_registered_application_has_number_regulation_log_and_event(
    stub: Any, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    """Clauses R1, R2, R12."""
    case = await _registered(stub, filing(school, vera), teacher)
    year = SystemClock().now().year
    assert (case.number, case.state) == (f"1-ЭД/{year}", application_pb2.APPLICATION_STATE_REGISTERED)
    assert (case.regulation, case.student_name, case.class_name) == ("приказ от 28.08.2020 № 213", "Иванова Вера", "8-А")
    assert [(entry.actor_name, entry.state, entry.ground) for entry in case.log] == [
        ("Петрова Н. И.", application_pb2.APPLICATION_STATE_REGISTERED, f"подано лично; зарегистрировано за № 1-ЭД/{year}")
    ]
    [applicant] = case.applicants
    assert (applicant.display_name, applicant.guardian_kind) == (
        "Иванова Мария Петровна",
        guardianship_pb2.GUARDIAN_KIND_MOTHER,
    )
    assert applicant.HasField("due_time")
    assert not applicant.HasField("met_time")
    assert not applicant.login
    events = await _events(school, events_pb2.ApplicationRegistered)
    assert [event.application_id for event in events] == [case.application_id]


async def test_an_application_keeps_the_regulation_version_of_its_day(
    stub: Any, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    """Clause R1: old cases are judged by the old version."""
    day = SystemClock().now().date()
    await school.connection.execute(
        """
        INSERT INTO access.regulation_versions (school_id, title, order_number, order_date, valid_from)
        VALUES ($1, 'Регламент', '07', '2021-08-28', '2021-09-01'), ($1, 'Регламент', '11', $2, $2)
        """,
        school.school_id,
        day,
    )
    late = filing(school, vera, received=SystemClock().now() - timedelta(days=2))
    assert (await _registered(stub, late, teacher)).regulation == "приказ от 28.08.2021 № 07"
    new = filing(school, vera, mother(given_name="Анна"))
    assert (await _registered(stub, new, teacher)).regulation == f"приказ от {day:%d.%m.%Y} № 11"


@pytest.mark.parametrize(("key", "role"), [("class_teacher", "class_teacher"), ("admin", "admin"), ("secretary", "secretary")])
async def test_class_teacher_admin_and_secretary_register(
    stub: Any, backends: Backends, school: SchoolWorld, vera: Person, key: str, role: str
) -> None:
    case = await _registered(stub, filing(school, vera), backends.sign_in(school.people[key], role))
    assert case.number


@pytest.mark.parametrize(
    ("key", "role", "expected"),
    [
        ("other_class_teacher", "class_teacher", NO_STUDENT),
        ("teacher", "class_teacher", NO_STUDENT),
        ("mother", "admin", NO_STUDENT),
        ("head", "secretary", NO_STUDENT),
        ("head", "head", WRONG_ROLE),
        ("mother", "guardian", NO_STUDENT),
    ],
)
async def test_others_do_not_register(
    stub: Any, backends: Backends, school: SchoolWorld, vera: Person, key: str, role: str, expected: Any
) -> None:
    """Another class's teacher learns no more than that there is nobody; a role in the token alone opens nothing."""
    call = stub.RegisterApplication(filing(school, vera), metadata=backends.sign_in(school.people[key], role))
    assert await refused(call) == expected


async def test_absent_and_other_schools_students_answer_alike(
    stub: Any, backends: Backends, school: SchoolWorld, vera: Person, teacher: Any, admin: Any
) -> None:
    """Clause R19: the answer is the same whether or not the child exists."""
    other = await make_school(admin)
    nobody = Person(uuid4(), uuid4(), uuid4(), "")
    for student in (nobody, other.people["anna"]):
        assert await refused(stub.RegisterApplication(filing(school, student), metadata=teacher)) == NO_STUDENT
    foreign = filing(other, other.people["anna"])
    assert await refused(stub.RegisterApplication(foreign, metadata=teacher)) == NO_STUDENT


async def test_a_repeat_of_the_request_registers_nothing_more(
    stub: Any, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    request = filing(school, vera)
    first = await _registered(stub, request, teacher)
    assert await _registered(stub, request, teacher) == first
    assert (
        await school.connection.fetchval("SELECT count(*) FROM access.applications WHERE school_id = $1", school.school_id) == 1
    )
    request.channel = application_pb2.APPLICATION_CHANNEL_POST
    refusal = await refused(stub.RegisterApplication(request, metadata=teacher))
    assert refusal == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")


async def test_numbers_have_no_gaps_when_twenty_register_at_once_and_some_fail(
    stub: Any, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    """Clause R12: a number that a failed registration took is given back."""
    await school.connection.execute(
        """
        CREATE OR REPLACE FUNCTION access.break_some() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.email = 'breaks@example.org' THEN RAISE EXCEPTION 'as if the server went' USING ERRCODE = '57P01'; END IF;
            RETURN NEW;
        END $$;
        CREATE OR REPLACE TRIGGER break_some BEFORE INSERT ON access.applicants
            FOR EACH ROW EXECUTE FUNCTION access.break_some();
        """
    )
    mails = ["breaks@example.org" if number % 4 == 0 else f"m{number}@example.org" for number in range(20)]
    students = [await school.add_student(f"vera {place}", "8-А", "Иванова", "Вера") for place in range(len(mails))]
    requests = [filing(school, student, mother(email=mail)) for student, mail in zip(students, mails, strict=True)]
    calls = [stub.RegisterApplication(request, metadata=teacher) for request in requests]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    await school.connection.execute("DROP TRIGGER break_some ON access.applicants")
    numbers = sorted(int(a.application.number.split("-")[0]) for a in answers if not isinstance(a, BaseException))
    assert numbers == list(range(1, 16))


async def test_twins_of_one_request_at_once_register_one_case(
    stub: Any, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    request = filing(school, vera)
    calls = [stub.RegisterApplication(request, metadata=teacher) for _ in range(5)]
    answers = await asyncio.gather(*calls)
    assert len({answer.application.application_id for answer in answers}) == 1
    cases = await school.connection.fetch("SELECT number FROM access.applications WHERE school_id = $1", school.school_id)
    assert [row["number"] for row in cases] == [1]


async def test_one_person_by_two_forms_at_once_is_asked_about_and_becomes_one(
    stub: Any, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    """Decision 0121: of two open forms the second names the person of the first; so nobody gets two accounts."""
    requests = [filing(school, vera, mother(authority_document=document)) for document in ("", "паспорт № 7 от 01.01.2015")]
    answers = await asyncio.gather(
        *(stub.RegisterApplication(request, metadata=teacher) for request in requests), return_exceptions=True
    )
    [case] = [answer.application for answer in answers if not isinstance(answer, BaseException)]
    [error] = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None
    [detail] = [one for one in status.details if one.Is(info.DESCRIPTOR)]
    detail.Unpack(info)
    assert info.reason == "APPLICANT_KNOWN"
    assert dict(info.metadata) == {"person_id": case.applicants[0].person_id, "number": case.number}
    [again] = [request for request, answer in zip(requests, answers, strict=True) if isinstance(answer, BaseException)]
    again.request_id, again.applicants[0].person_id = str(uuid4()), info.metadata["person_id"]
    second = await _registered(stub, again, teacher)
    assert second.applicants[0].person_id == case.applicants[0].person_id
    people = "SELECT count(*) FROM access.people WHERE school_id = $1 AND family_name = 'Иванова' AND given_name = 'Мария'"
    assert await school.connection.fetchval(people, school.school_id) == 1


async def test_a_namesake_is_registered_when_it_is_said_to_be_another(
    stub: Any, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    """Decision 0121: by the same document the same relation is the same person, whatever is said."""
    known = (grpc.StatusCode.FAILED_PRECONDITION, "APPLICANT_KNOWN")
    first = await _registered(stub, filing(school, vera), teacher)
    same = filing(school, vera, mother(is_another_person=True))
    assert await refused(stub.RegisterApplication(same, metadata=teacher)) == known
    document = "доверенность № 5"
    other = {
        "guardian_kind": guardianship_pb2.GUARDIAN_KIND_REPRESENTATIVE,
        "authority_document": document,
        "authority_date": "2026-01-15",
    }
    assert await refused(stub.RegisterApplication(filing(school, vera, mother(**other)), metadata=teacher)) == known
    second = await _registered(stub, filing(school, vera, mother(**other, is_another_person=True)), teacher)
    assert second.applicants[0].person_id != first.applicants[0].person_id
    # Who stands in the card is known too.
    card = filing(school, school.people["anna"], mother(family_name="Елкина", patronymic="Ивановна"))
    assert await refused(stub.RegisterApplication(card, metadata=teacher)) == known


@pytest.mark.parametrize(
    ("applicant", "reason"),
    [
        (mother(given_name="<b>Мария</b>"), "NAME_INVALID"),
        (mother(authority_document="x"), "AUTHORITY_DOCUMENT_INVALID"),
        (mother(guardian_kind=guardianship_pb2.GUARDIAN_KIND_REPRESENTATIVE), "AUTHORITY_DATES_INVALID"),
        (mother(authority_date="2026-02-30"), "REQUEST_INVALID"),
        (mother(family_name=" \t"), "APPLICANT_INCOMPLETE"),
        (mother(guardian_kind=guardianship_pb2.GUARDIAN_KIND_UNSPECIFIED), "APPLICANT_INCOMPLETE"),
        (mother(credentials_way=application_pb2.CREDENTIALS_WAY_EMAIL), "EMAIL_MISSING"),
        (mother(email="no address"), "REQUEST_INVALID"),
        (mother(credentials_way=application_pb2.CREDENTIALS_WAY_UNSPECIFIED), "REQUEST_INVALID"),
    ],
)
async def test_an_incomplete_applicant_is_refused(
    stub: Any, school: SchoolWorld, vera: Person, teacher: Any, applicant: application_pb2.FiledApplicant, reason: str
) -> None:
    """Clause R29."""
    call = stub.RegisterApplication(filing(school, vera, applicant), metadata=teacher)
    assert await refused(call) == (grpc.StatusCode.INVALID_ARGUMENT, reason)


async def test_receipt_in_the_future_is_refused(stub: Any, school: SchoolWorld, vera: Person, teacher: Any) -> None:
    request = filing(school, vera, received=SystemClock().now() + timedelta(minutes=5))
    refusal = await refused(stub.RegisterApplication(request, metadata=teacher))
    assert refusal == (grpc.StatusCode.INVALID_ARGUMENT, "RECEIVED_IN_FUTURE")


async def test_a_year_without_a_known_calendar_is_named(stub: Any, school: SchoolWorld, vera: Person, teacher: Any) -> None:
    request = filing(school, vera, received=datetime(2021, 5, 17, 9, tzinfo=UTC))
    refusal = await refused(stub.RegisterApplication(request, metadata=teacher))
    assert refusal == (grpc.StatusCode.FAILED_PRECONDITION, "CALENDAR_UNKNOWN")


@pytest.mark.parametrize(
    ("born", "kind", "fits"),
    [
        (-13, guardianship_pb2.GUARDIAN_KIND_GUARDIAN, True),
        (-13, guardianship_pb2.GUARDIAN_KIND_TRUSTEE, False),
        (-15, guardianship_pb2.GUARDIAN_KIND_TRUSTEE, True),
        (-15, guardianship_pb2.GUARDIAN_KIND_GUARDIAN, False),
        (-19, guardianship_pb2.GUARDIAN_KIND_MOTHER, False),
        (-19, guardianship_pb2.GUARDIAN_KIND_REPRESENTATIVE, True),
    ],
)
async def test_a_legal_relation_fits_the_age(
    stub: Any, school: SchoolWorld, vera: Person, teacher: Any, born: int, kind: Any, fits: bool
) -> None:
    """Clause R6."""
    await set_birth_date(school, vera, date(SystemClock().now().year + born, 1, 2))
    call = stub.RegisterApplication(
        filing(school, vera, mother(guardian_kind=kind, authority_date="2026-01-15")), metadata=teacher
    )
    if fits:
        assert (await call).application.applicants[0].guardian_kind == kind
    else:
        assert await refused(call) == (grpc.StatusCode.FAILED_PRECONDITION, "GUARDIAN_UNDER_AGE")


async def test_a_refusal_of_one_of_two_names_that_one(stub: Any, school: SchoolWorld, vera: Person, teacher: Any) -> None:
    """The page says of whom it speaks: the field is that of the second applicant."""
    await set_birth_date(school, vera, date(SystemClock().now().year - 15, 1, 2))
    second = mother(given_name="Анна", guardian_kind=guardianship_pb2.GUARDIAN_KIND_GUARDIAN, authority_date="2026-01-15")
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await stub.RegisterApplication(filing(school, vera, mother(), second), metadata=teacher)
    status, bad = rpc_status.from_call(failure.value), error_details_pb2.BadRequest()  # type: ignore[arg-type]
    assert status is not None
    assert any(detail.Unpack(bad) for detail in status.details)
    assert [violation.field for violation in bad.field_violations] == ["applicants[1].guardian_kind"]


async def test_a_guardian_on_record_applies_by_id_and_a_stranger_does_not(
    stub: Any, backends: Backends, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    """Clause R6: the relation is the one on record."""
    anna, her_mother = school.people["anna"], school.people["mother"]
    known = application_pb2.FiledApplicant(
        person_id=str(her_mother.person_id), credentials_way=application_pb2.CREDENTIALS_WAY_IN_PERSON
    )
    case = await _registered(stub, filing(school, anna, known), teacher)
    assert case.applicants[0].guardian_kind == guardianship_pb2.GUARDIAN_KIND_MOTHER
    refusal = await refused(stub.RegisterApplication(filing(school, vera, known), metadata=teacher))
    assert refusal == (grpc.StatusCode.NOT_FOUND, "PERSON_NOT_FOUND")


async def test_the_student_applies_alone_or_beside_a_parent(stub: Any, school: SchoolWorld, vera: Person, teacher: Any) -> None:
    """Clause R5: a student has a right of the own; below 14 with a parent's signature (decision 7)."""
    own = application_pb2.FiledApplicant(
        person_id=str(vera.person_id), credentials_way=application_pb2.CREDENTIALS_WAY_IN_PERSON
    )
    alone = await _registered(stub, filing(school, vera, own), teacher)
    assert [(a.person_id, a.guardian_kind) for a in alone.applicants] == [(str(vera.person_id), 0)]
    await set_birth_date(school, vera, SystemClock().now().date() - timedelta(days=4000))
    alone = (await stub.GetApplication(reading(school, alone.application_id), metadata=teacher)).application
    assert [item.clause for item in alone.checklist if not item.is_met] == ["R6"]
    both = await _registered(stub, filing(school, vera, is_for_student_too=True), teacher)
    assert [a.display_name for a in both.applicants] == ["Иванова Мария Петровна", "Иванова Вера"]
    assert all(item.is_met for item in both.checklist)


async def test_another_schools_case_is_as_absent_as_none(
    stub: Any, backends: Backends, school: SchoolWorld, vera: Person, teacher: Any, admin: Any
) -> None:
    """Clause R3."""
    case = await _registered(stub, filing(school, vera), teacher)
    other = await make_school(admin)
    metadata = backends.sign_in(other.people["admin"], "admin")
    for where, application_id in ((school, case.application_id), (other, case.application_id), (other, str(uuid4()))):
        assert await refused(stub.GetApplication(reading(where, application_id), metadata=metadata)) == NO_CASE
        assert await refused(stub.GrantApplication(granting(where, application_id), metadata=metadata)) == NO_CASE


async def test_an_ended_session_opens_no_case(stub: Any, school: SchoolWorld, vera: Person, teacher: Any) -> None:
    case = await _registered(stub, filing(school, vera), teacher)
    await school.end_sessions_of("class_teacher")
    call = stub.GetApplication(reading(school, case.application_id), metadata=teacher)
    assert await refused(call) == (grpc.StatusCode.UNAUTHENTICATED, "SESSION_ENDED")


@pytest.mark.parametrize(
    ("key", "role", "seen"),
    [("class_teacher", "class_teacher", 1), ("other_class_teacher", "class_teacher", 1), ("secretary", "secretary", 2)],
)
async def test_a_list_holds_the_own_class_or_the_school(
    stub: Any, backends: Backends, school: SchoolWorld, vera: Person, teacher: Any, key: str, role: str, seen: int
) -> None:
    admin = backends.sign_in(school.people["admin"], "admin")
    for student in (vera, school.people["boris"]):
        await _registered(stub, filing(school, student), admin)
    metadata = backends.sign_in(school.people[key], role)
    request = pb.ListApplicationsRequest(school_id=str(school.school_id))
    assert len((await stub.ListApplications(request, metadata=metadata)).applications) == seen


async def test_a_list_is_paged_by_due_time_and_filtered_by_state(
    stub: Any, school: SchoolWorld, vera: Person, teacher: Any
) -> None:
    now = SystemClock().now()
    filed = [
        filing(school, vera, mother(given_name=name), received=now - timedelta(days=days))
        for name, days in (("Анна", 3), ("Вера", 20), ("Нина", 9))
    ]
    cases = [await _registered(stub, request, teacher) for request in filed]
    await stub.GrantApplication(granting(school, cases[0].application_id), metadata=teacher)
    seen, token = [], ""
    while True:
        request = pb.ListApplicationsRequest(school_id=str(school.school_id), page_size=2, page_token=token)
        page = await stub.ListApplications(request, metadata=teacher)
        seen += [application.number for application in page.applications]
        token = page.next_page_token
        if not token:
            break
    assert seen == [cases[1].number, cases[2].number, cases[0].number]
    request = pb.ListApplicationsRequest(school_id=str(school.school_id), state=application_pb2.APPLICATION_STATE_REGISTERED)
    page = await stub.ListApplications(request, metadata=teacher)
    assert [(a.number, list(a.checklist), list(a.log)) for a in page.applications] == [
        (cases[1].number, [], []),
        (cases[2].number, [], []),
    ]


@pytest.mark.parametrize("statement", ["UPDATE access.case_log SET ground = 'other'", "DELETE FROM access.case_log"])
async def test_the_case_log_is_append_only_for_the_service(
    backends: Backends, stub: Any, school: SchoolWorld, vera: Person, teacher: Any, statement: str
) -> None:
    """Clause R2."""
    await _registered(stub, filing(school, vera), teacher)
    connection = await asyncpg.connect(backends.clone.app_dsns["access"])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.close()
