"""Statements of Appendix 2 and 3 end the signers' access, nobody else's, and begin their paper mode (Clauses R8, R30-R33)."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import grpc
import pytest

from deploy.local.ports import Ports
from diary.access.v1 import application_pb2, application_service_pb2_grpc, events_pb2
from diary.access.v1 import application_service_pb2 as pb
from tests.support.eventually import eventually
from tests.support.services import refused
from tests.worlds.access import SchoolWorld
from tests.worlds.access_service import Backends, Serve
from tests.worlds.applications import add_vera, filing, granting, mother, reading, set_birth_date

CANCEL = application_pb2.APPLICATION_KIND_APPENDIX_3
DECLINE = application_pb2.APPLICATION_KIND_APPENDIX_2
PENDING = (grpc.StatusCode.UNAVAILABLE, "ENDING_PENDING")


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return application_service_pb2_grpc.ApplicationServiceStub(channel)


@pytest.fixture
def teacher(backends: Backends, school: SchoolWorld) -> Any:
    """Metadata of the class teacher of Anna's class."""
    return backends.sign_in(school.people["class_teacher"], "class_teacher")


def _signed(school: SchoolWorld, *signers: str, kind: Any = CANCEL, **other: Any) -> pb.RegisterApplicationRequest:
    """A statement about Anna by people on record."""
    applicants = [
        application_pb2.FiledApplicant(
            person_id=str(school.people[key].person_id), credentials_way=application_pb2.CREDENTIALS_WAY_IN_PERSON, **other
        )
        for key in signers
    ]
    return filing(school, school.people["anna"], *applicants, kind=kind)


async def _open_grants(admin: Any, school: SchoolWorld) -> set[str]:
    """Who still holds an access to Anna."""
    rows = await admin.fetch(
        "SELECT holder_person_id FROM grants WHERE school_id = $1 AND student_id = $2 AND end_time IS NULL",
        school.school_id,
        school.people["anna"].person_id,
    )
    names = {person.person_id: key for key, person in school.people.items()}
    return {names[row["holder_person_id"]] for row in rows}


async def _has_ended(backends: Backends, admin: Any, school: SchoolWorld, key: str) -> set[bool]:
    """Whether the person's relations have ended in the projections of the other services."""
    account_id = school.people[key].account_id
    journal = await asyncpg.connect(backends.journal.admin_dsn)
    found = set()
    for connection, schema in ((admin, "notify"), (admin, "documents"), (journal, "documents")):
        statement = f"SELECT valid_to_time FROM {schema}.relations WHERE account_id = $1"
        found |= {row["valid_to_time"] is not None for row in await connection.fetch(statement, account_id)}
    await journal.close()
    return found


@pytest.mark.parametrize("kind", [DECLINE, CANCEL])
async def test_a_mothers_statement_ends_hers_everywhere_and_nobody_elses(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld, teacher: Any, kind: Any
) -> None:
    """Clauses R32, R33: the father still sees, the child's own access stays."""
    application = (await stub.RegisterApplication(_signed(school, "mother", kind=kind), metadata=teacher)).application
    assert application.kind == kind
    assert await _open_grants(admin, school) == {"anna", "father"}
    assert await _has_ended(backends, admin, school, "mother") == {True}
    ground, by = await admin.fetchrow(
        "SELECT end_ground, end_application_id FROM grants WHERE grant_id = $1", school.grants["mother"]
    )
    assert (ground, str(by)) == ("declined", application.application_id)
    [registered, ended, paper] = [entry.ground for entry in application.log]
    assert registered.endswith(f"зарегистрировано за № {application.number}")
    assert ended == "доступ заявителя прекращён: Ёлкина Мария Ивановна (мать)"
    assert "№ 1-Р/" in paper
    assert "лист выбора" not in paper, "no such sheet was signed"


async def test_both_parents_statement_leaves_the_childs_own_access(
    stub: Any, admin: Any, school: SchoolWorld, teacher: Any
) -> None:
    """Clause R32."""
    await stub.RegisterApplication(_signed(school, "mother", "father"), metadata=teacher)
    assert await _open_grants(admin, school) == {"anna"}


async def test_a_statement_about_one_child_leaves_the_other(stub: Any, admin: Any, school: SchoolWorld, teacher: Any) -> None:
    """Clause R33: for that child."""
    await school.grant("mother", "boris")
    await school.derive("mother")
    await stub.RegisterApplication(_signed(school, "mother"), metadata=teacher)
    held = await admin.fetchval("SELECT end_time IS NULL FROM grants WHERE grant_id = $1", school.grants["mother:boris"])
    assert held


async def test_a_statement_begins_the_paper_mode_of_its_signers(
    stub: Any, admin: Any, school: SchoolWorld, teacher: Any
) -> None:
    """Clause R8: number, date and reason; printouts declined too where said so; told by events without names."""
    request = _signed(school, "mother", paper_reason=application_pb2.PAPER_REASON_CANNOT, declines_printouts=True)
    [signer] = (await stub.RegisterApplication(request, metadata=teacher)).application.applicants
    declared = signer.paper_declaration
    year = datetime.now(UTC).year  # noqa: TID251
    assert declared.number == f"1-Р/{year}"
    assert date.fromisoformat(declared.declare_date).year == year
    assert (declared.reason, declared.declines_printouts) == (application_pb2.PAPER_REASON_CANNOT, True)
    [payload] = [row["payload"] for row in await _events(admin, school, "PaperModeChanged")]
    event = events_pb2.PaperModeChanged.FromString(payload)
    assert event.guardian_person_id == str(school.people["mother"].person_id)
    assert (event.declaration_id, event.is_in_force, event.declines_printouts) == (declared.declaration_id, True, True)
    assert len(await _events(admin, school, "GrantEnded")) == 1


async def test_a_signer_says_how_the_printouts_are_to_be_given(stub: Any, school: SchoolWorld, teacher: Any) -> None:
    """Clause R8: the sheet of choice may come with the statement."""
    request = _signed(school, "mother", printout_way=application_pb2.PRINTOUT_WAY_OTHER)
    reason = (grpc.StatusCode.INVALID_ARGUMENT, "PRINTOUT_WAY_NOTE_REQUIRED")
    assert await refused(stub.RegisterApplication(request, metadata=teacher)) == reason
    request.applicants[0].printout_way = application_pb2.PRINTOUT_WAY_IN_PERSON
    [signer] = (await stub.RegisterApplication(request, metadata=teacher)).application.applicants
    assert signer.paper_declaration.printout_way == application_pb2.PRINTOUT_WAY_IN_PERSON


async def _events(admin: Any, school: SchoolWorld, name: str) -> Any:
    statement = "SELECT payload FROM outbox WHERE school_id = $1 AND subject LIKE '%.' || $2 ORDER BY event_number"
    return await admin.fetch(statement, school.school_id, name)


async def test_numbers_of_declarations_have_no_gaps_and_the_last_one_counts(
    stub: Any, admin: Any, school: SchoolWorld, teacher: Any
) -> None:
    requests = [_signed(school, "mother"), _signed(school, "father"), _signed(school, "mother")]
    await asyncio.gather(*(stub.RegisterApplication(request, metadata=teacher) for request in requests))
    rows = await admin.fetch(
        "SELECT number, revoke_time FROM paper_declarations WHERE school_id = $1 ORDER BY number", school.school_id
    )
    assert [row["number"] for row in rows] == [1, 2, 3]
    assert sum(row["revoke_time"] is None for row in rows) == 2


async def test_a_repeat_of_a_statement_changes_nothing(stub: Any, admin: Any, school: SchoolWorld, teacher: Any) -> None:
    request = _signed(school, "mother")
    first = await stub.RegisterApplication(request, metadata=teacher)
    assert await stub.RegisterApplication(request, metadata=teacher) == first
    assert await admin.fetchval("SELECT count(*) FROM paper_declarations WHERE school_id = $1", school.school_id) == 1


async def test_a_statement_that_a_service_has_not_confirmed_is_pending_and_stands(
    serve: Serve, backends: Backends, admin: Any, school: SchoolWorld, teacher: Any
) -> None:
    """Clause R33; a repeat waits again."""
    ports = Ports()
    port = ports.reserve(0)
    ports.close()
    request = _signed(school, "mother")
    async with serve(journal_address=f"127.0.0.1:{port}") as channel:
        stub = application_service_pb2_grpc.ApplicationServiceStub(channel)
        assert await refused(stub.RegisterApplication(request, metadata=teacher)) == PENDING
        assert await _open_grants(admin, school) == {"anna", "father"}
        async with backends.journal_on(port):

            async def is_carried() -> bool:
                return bool(await admin.fetchval("SELECT count(*) FROM ending_pushes") == 0)

            await eventually(is_carried, why="the job's push")
            await stub.RegisterApplication(request, metadata=teacher)
    assert await admin.fetchval("SELECT count(*) FROM applications WHERE school_id = $1", school.school_id) == 1


@pytest.mark.parametrize("ends_paper_mode", [False, True])
async def test_a_new_application_gives_access_again_and_ends_the_paper_mode_only_if_asked(
    stub: Any, admin: Any, school: SchoolWorld, teacher: Any, ends_paper_mode: bool
) -> None:
    """Clause R33: a new Appendix 1 is possible later."""
    await set_birth_date(school, school.people["anna"], date(2012, 5, 14))
    await stub.RegisterApplication(_signed(school, "mother"), metadata=teacher)
    again = _signed(school, "mother", kind=application_pb2.APPLICATION_KIND_APPENDIX_1, ends_paper_mode=ends_paper_mode)
    application = (await stub.RegisterApplication(again, metadata=teacher)).application
    open_one = "SELECT count(*) FROM paper_declarations WHERE school_id = $1 AND revoke_time IS NULL"
    assert await admin.fetchval(open_one, school.school_id) == 1
    await stub.GrantApplication(granting(school, application.application_id), metadata=teacher)
    assert await _open_grants(admin, school) == {"anna", "father", "mother"}
    assert await admin.fetchval(open_one, school.school_id) == int(not ends_paper_mode)
    assert len(await _events(admin, school, "PaperModeChanged")) == 1 + ends_paper_mode


async def test_who_never_had_access_declines_it_and_goes_on_paper(stub: Any, school: SchoolWorld, teacher: Any) -> None:
    """Clause R30: a new person, whose guardianship is noted by the document shown."""
    vera = await add_vera(school)
    request = filing(school, vera, mother(), kind=DECLINE)
    application = (await stub.RegisterApplication(request, metadata=teacher)).application
    assert application.applicants[0].paper_declaration.number.startswith("1-Р/")
    assert not application.checklist
    assert application.applicants[0].HasField("due_time"), "the decision has a term"


async def test_nothing_is_granted_by_a_statement(stub: Any, school: SchoolWorld, teacher: Any) -> None:
    application = (await stub.RegisterApplication(_signed(school, "mother"), metadata=teacher)).application
    assert await refused(stub.GrantApplication(granting(school, application.application_id), metadata=teacher)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "NOTHING_TO_GRANT",
    )
    found = await stub.GetApplication(reading(school, application.application_id), metadata=teacher)
    assert found.application == application


@pytest.mark.parametrize(("birth_date", "answer"), [(date(2020, 1, 1), "STUDENT_UNDER_AGE"), (date(2010, 1, 1), "")])
async def test_a_student_signs_for_oneself_from_fourteen(
    stub: Any, admin: Any, school: SchoolWorld, teacher: Any, birth_date: date, answer: str
) -> None:
    """Decision 7; a student's statement ends the own access and begins no paper mode."""
    await set_birth_date(school, school.people["anna"], birth_date)
    request = _signed(school, "anna")
    if answer:
        assert await refused(stub.RegisterApplication(request, metadata=teacher)) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            answer,
        )
        return
    application = (await stub.RegisterApplication(request, metadata=teacher)).application
    assert await _open_grants(admin, school) == {"father", "mother"}
    assert not application.applicants[0].HasField("paper_declaration")


async def test_a_statement_asks_nothing_for_the_student(stub: Any, school: SchoolWorld, teacher: Any) -> None:
    request = _signed(school, "mother")
    request.is_for_student_too = True
    assert await refused(stub.RegisterApplication(request, metadata=teacher)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "REQUEST_INVALID",
    )
