"""What a family does by itself: the own statement, the own cases, paper."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import grpc
import pytest

from chassis.clock import SystemClock
from diary.access.v1 import (
    application_pb2,
    application_service_pb2_grpc,
    grant_service_pb2,
    grant_service_pb2_grpc,
    paper_declaration_pb2,
    paper_service_pb2,
    paper_service_pb2_grpc,
    roster_pb2,
    roster_service_pb2,
    roster_service_pb2_grpc,
)
from diary.access.v1 import application_service_pb2 as pb
from tests.support.services import refused, sign_service
from tests.worlds.access import Person, SchoolWorld
from tests.worlds.access_service import Backends
from tests.worlds.applications import add_vera, filing, mother, reading, set_birth_date

NO_STUDENT = (grpc.StatusCode.NOT_FOUND, "STUDENT_NOT_FOUND")
NO_CASE = (grpc.StatusCode.NOT_FOUND, "APPLICATION_NOT_FOUND")
NOT_OWN = (grpc.StatusCode.INVALID_ARGUMENT, "STATEMENT_NOT_OWN")
IN_PERSON = application_pb2.CREDENTIALS_WAY_IN_PERSON


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return application_service_pb2_grpc.ApplicationServiceStub(channel)


@pytest.fixture
def papers(channel: grpc.aio.Channel) -> Any:
    return paper_service_pb2_grpc.PaperServiceStub(channel)


@pytest.fixture
def teacher(backends: Backends, school: SchoolWorld) -> Any:
    return backends.sign_in(school.people["class_teacher"], "class_teacher")


def _family(backends: Backends, school: SchoolWorld, key: str) -> Any:
    return backends.sign_in(school.people[key], "student" if key == "anna" else "guardian")


def _own(school: SchoolWorld, student: str = "anna", **other: Any) -> pb.RegisterApplicationRequest:
    words = {"kind": application_pb2.APPLICATION_KIND_APPENDIX_3, "channel": application_pb2.APPLICATION_CHANNEL_DIARY, **other}
    applicants = words.pop("applicants", [application_pb2.FiledApplicant(credentials_way=IN_PERSON)])
    return filing(school, school.people[student], *applicants, **words)


async def _is_ended(admin: Any, person: Person) -> bool:
    ended: bool = await admin.fetchval(
        "SELECT bool_and(end_time IS NOT NULL) FROM grants WHERE holder_person_id = $1", person.person_id
    )
    return ended


async def test_a_fathers_own_statement_ends_his_access_and_nobody_elses(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    """Clauses R32, R33: signed in the diary; the answer comes again although the relation has ended by it."""
    metadata, request = _family(backends, school, "father"), _own(school)
    case = (await stub.RegisterApplication(request, metadata=metadata)).application
    assert [one.person_id for one in case.applicants] == [str(school.people["father"].person_id)]
    assert case.channel == application_pb2.APPLICATION_CHANNEL_DIARY
    assert not case.log
    assert case.applicants[0].paper_declaration.number
    assert await _is_ended(admin, school.people["father"])
    assert not await _is_ended(admin, school.people["mother"])
    assert not await _is_ended(admin, school.people["anna"])
    # His session has ended with his last relation; the same request finds its answer, another finds nothing.
    again = (await stub.RegisterApplication(request, metadata=metadata)).application
    assert (again.number, again.applicants) == (case.number, case.applicants)
    assert await refused(stub.RegisterApplication(_own(school), metadata=metadata)) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "SESSION_ENDED",
    )
    mothers = _family(backends, school, "mother")
    assert await refused(stub.GetApplication(reading(school, case.application_id), metadata=mothers)) == NO_CASE


@pytest.mark.parametrize(
    "change",
    [
        {"kind": application_pb2.APPLICATION_KIND_APPENDIX_1},
        {"applicants": [mother()]},
        {
            "applicants": [
                application_pb2.FiledApplicant(credentials_way=IN_PERSON),
                application_pb2.FiledApplicant(credentials_way=IN_PERSON),
            ]
        },
    ],
)
async def test_a_family_signs_its_own_statement_alone(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld, change: dict[str, Any]
) -> None:
    """Clause R32: no application, nobody else, no two."""
    other = "mother" if "applicants" not in change else "father"
    if change.get("applicants") == [mother()]:
        change = {
            "applicants": [
                application_pb2.FiledApplicant(person_id=str(school.people["mother"].person_id), credentials_way=IN_PERSON)
            ]
        }
    call = stub.RegisterApplication(_own(school, **change), metadata=_family(backends, school, other))
    assert await refused(call) == NOT_OWN
    assert not await _is_ended(admin, school.people["mother"])


async def test_what_comes_through_the_diary_comes_from_the_family(stub: Any, school: SchoolWorld, teacher: Any) -> None:
    invalid = (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")
    hers = application_pb2.FiledApplicant(person_id=str(school.people["mother"].person_id), credentials_way=IN_PERSON)
    assert await refused(stub.RegisterApplication(_own(school, applicants=[hers]), metadata=teacher)) == invalid


async def test_another_familys_child_is_as_absent(stub: Any, backends: Backends, school: SchoolWorld) -> None:
    await add_vera(school)
    call = stub.RegisterApplication(_own(school, "vera"), metadata=_family(backends, school, "mother"))
    assert await refused(call) == NO_STUDENT


async def test_a_student_under_14_signs_no_statement(stub: Any, backends: Backends, admin: Any, school: SchoolWorld) -> None:
    """Decision 7; from 14 on the own access alone ends, and no paper mode begins."""
    anna = school.people["anna"]
    today = datetime.now(UTC).date()  # noqa: TID251
    await set_birth_date(school, anna, today.replace(year=today.year - 10, day=1))
    metadata = _family(backends, school, "anna")
    young = (grpc.StatusCode.FAILED_PRECONDITION, "STUDENT_UNDER_AGE")
    assert await refused(stub.RegisterApplication(_own(school), metadata=metadata)) == young
    await set_birth_date(school, anna, today.replace(year=today.year - 15, day=1))
    case = (await stub.RegisterApplication(_own(school), metadata=metadata)).application
    assert not case.applicants[0].HasField("paper_declaration")
    assert await _is_ended(admin, anna)
    assert not await _is_ended(admin, school.people["mother"])


async def test_an_account_with_nothing_left_is_signed_out_everywhere(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    """Clause R33: sessions end when no relation is left; at OK the other services know."""
    father = school.people["father"]
    await stub.RegisterApplication(_own(school), metadata=_family(backends, school, "father"))
    left = await admin.fetchval(
        "SELECT count(*) FROM relations WHERE account_id = $1 AND (valid_to_time IS NULL OR valid_to_time > now())",
        father.account_id,
    )
    live = await admin.fetchval("SELECT count(*) FROM sessions WHERE account_id = $1 AND end_time IS NULL", father.account_id)
    assert (left, live) == (0, 0)
    known = await admin.fetchval("SELECT count(*) FROM documents.ended_sessions WHERE session_id = $1", father.session_id)
    assert known == 1
    # The mother, who signed nothing, stays signed in.
    kept = await admin.fetchval(
        "SELECT count(*) FROM sessions WHERE account_id = $1 AND end_time IS NULL", school.people["mother"].account_id
    )
    assert kept >= 1


async def test_an_applicant_reads_the_own_case_and_of_the_other_the_name_alone(
    stub: Any, backends: Backends, school: SchoolWorld, teacher: Any
) -> None:
    """Clause R29: each applicant sees only the own contacts; a stranger's case is as absent."""
    applicants = [
        application_pb2.FiledApplicant(
            person_id=str(school.people[key].person_id),
            credentials_way=application_pb2.CREDENTIALS_WAY_EMAIL,
            email=f"{key}@example.org",
        )
        for key in ("mother", "father")
    ]
    request = filing(
        school,
        school.people["anna"],
        *applicants,
    )
    case = (await stub.RegisterApplication(request, metadata=teacher)).application
    metadata = _family(backends, school, "mother")
    seen = (await stub.GetApplication(reading(school, case.application_id), metadata=metadata)).application
    own, other = seen.applicants
    assert own.email == "mother@example.org"
    assert other == application_pb2.Applicant(display_name=other.display_name, name=other.name)
    assert (list(seen.log), list(seen.checklist)) == ([], [])
    listing = pb.ListApplicationsRequest(school_id=str(school.school_id))
    assert [one.number for one in (await stub.ListApplications(listing, metadata=metadata)).applications] == [case.number]
    await add_vera(school)
    stranger = backends.sign_in(school.people["teacher"], "guardian")
    assert await refused(stub.GetApplication(reading(school, case.application_id), metadata=stranger)) == NO_CASE


def _declaring(school: SchoolWorld, **other: Any) -> paper_service_pb2.RecordPaperDeclarationRequest:
    words = {"reason": application_pb2.PAPER_REASON_CANNOT, "request_id": str(uuid4()), **other}
    return paper_service_pb2.RecordPaperDeclarationRequest(
        school_id=str(school.school_id), student_id=str(school.people["anna"].person_id), **words
    )


async def test_a_mother_declares_for_paper_and_keeps_her_access(
    papers: Any, channel: grpc.aio.Channel, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    """Clause R8: a number without gaps, the newest counts, revocable; documents reads it of the roster."""
    metadata = _family(backends, school, "mother")
    first = (await papers.RecordPaperDeclaration(_declaring(school), metadata=metadata)).declaration
    request = _declaring(school, declines_printouts=True)
    for _ in range(2):
        second = (await papers.RecordPaperDeclaration(request, metadata=metadata)).declaration
    year = datetime.now(UTC).year  # noqa: TID251
    assert [one.declaration.number for one in (first, second)] == [f"1-Р/{year}", f"2-Р/{year}"]
    assert second.form == paper_declaration_pb2.PAPER_DECLARATION_FORM_ELECTRONIC
    assert not await _is_ended(admin, school.people["mother"])
    listing = paper_service_pb2.ListPaperDeclarationsRequest(
        school_id=str(school.school_id), student_id=str(school.people["anna"].person_id)
    )
    listed = (await papers.ListPaperDeclarations(listing, metadata=metadata)).declarations
    assert [one.declaration.HasField("revoke_time") for one in listed] == [False, True]
    revoking = paper_service_pb2.RevokePaperDeclarationRequest(
        school_id=str(school.school_id),
        student_id=str(school.people["anna"].person_id),
        declaration_id=second.declaration.declaration_id,
        request_id=str(uuid4()),
    )
    for _ in range(2):
        revoked = (await papers.RevokePaperDeclaration(revoking, metadata=metadata)).declaration
    assert revoked.declaration.HasField("revoke_time")
    roster: Any = roster_service_pb2_grpc.RosterServiceStub(channel)
    wanted = roster_service_pb2.ListRosterRequest(
        school_id=str(school.school_id), kind=roster_pb2.ROSTER_KIND_PAPER_DECLARATION
    )
    service = sign_service(backends.keys_dir, "documents", SystemClock())
    entries = (await roster.ListRoster(wanted, metadata=service)).entries
    assert [(one.paper_declaration.number, one.paper_declaration.version) for one in entries] == [
        (f"1-Р/{year}", 2),
        (f"2-Р/{year}", 2),
    ]
    assert {one.paper_declaration.guardian_name for one in entries} == {listed[0].guardian_name}
    assert listed[0].guardian_name


async def test_a_guardian_says_how_the_printouts_are_to_be_given(
    papers: Any, channel: grpc.aio.Channel, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    """Clauses R7, R8, families C: the sheet of choice asks for it; words of one's own are in no event."""
    metadata, invalid = _family(backends, school, "mother"), grpc.StatusCode.INVALID_ARGUMENT
    first = (await papers.RecordPaperDeclaration(_declaring(school), metadata=metadata)).declaration.declaration
    assert (first.printout_way, first.printout_way_note) == (application_pb2.PRINTOUT_WAY_UNSPECIFIED, "")
    by_brother = _declaring(school, printout_way=application_pb2.PRINTOUT_WAY_OTHER, printout_way_note="  через \n брата")
    kept = (await papers.RecordPaperDeclaration(by_brother, metadata=metadata)).declaration.declaration
    assert (kept.printout_way, kept.printout_way_note) == (application_pb2.PRINTOUT_WAY_OTHER, "через брата")
    for wrong, reason in (
        ({"printout_way": application_pb2.PRINTOUT_WAY_OTHER, "printout_way_note": " "}, "PRINTOUT_WAY_NOTE_REQUIRED"),
        ({"printout_way": application_pb2.PRINTOUT_WAY_IN_PERSON, "printout_way_note": "через брата"}, "REQUEST_INVALID"),
        ({"printout_way": application_pb2.PRINTOUT_WAY_IN_PERSON, "declines_printouts": True}, "REQUEST_INVALID"),
    ):
        assert await refused(papers.RecordPaperDeclaration(_declaring(school, **wrong), metadata=metadata)) == (invalid, reason)
    roster: Any = roster_service_pb2_grpc.RosterServiceStub(channel)
    wanted = roster_service_pb2.BatchGetRosterRequest(
        school_id=str(school.school_id), kind=roster_pb2.ROSTER_KIND_PAPER_DECLARATION, ids=[kept.declaration_id]
    )
    service = sign_service(backends.keys_dir, "documents", SystemClock())
    [entry] = (await roster.BatchGetRoster(wanted, metadata=service)).entries
    told = entry.paper_declaration
    assert (told.printout_way, told.printout_way_note) == (application_pb2.PRINTOUT_WAY_OTHER, "через брата")
    statement = "SELECT payload FROM outbox WHERE school_id = $1 AND subject LIKE '%PaperModeChanged' ORDER BY event_number"
    events = [row["payload"] for row in await admin.fetch(statement, school.school_id)]
    assert events
    assert not any("брата".encode() in payload for payload in events)


async def test_of_many_declarations_at_once_each_gets_a_number_and_one_holds(
    papers: Any, stub: Any, admin: Any, school: SchoolWorld, teacher: Any
) -> None:
    """Clause R8: the last one counts, whether on a sheet or in a statement."""
    hers = str(school.people["mother"].person_id)
    statement = application_pb2.FiledApplicant(person_id=hers, credentials_way=IN_PERSON)
    await asyncio.gather(
        *(papers.RecordPaperDeclaration(_declaring(school, guardian_person_id=hers), metadata=teacher) for _ in range(8)),
        *(
            stub.RegisterApplication(
                filing(school, school.people["anna"], statement, kind=application_pb2.APPLICATION_KIND_APPENDIX_2),
                metadata=teacher,
            )
            for _ in range(4)
        ),
    )
    rows = await admin.fetch(
        "SELECT number, revoke_time FROM paper_declarations WHERE school_id = $1 ORDER BY number", school.school_id
    )
    assert [row["number"] for row in rows] == list(range(1, 13))
    assert [row["revoke_time"] is None for row in rows] == [False] * 11 + [True]


async def test_a_class_teacher_declares_for_oneself_as_any_mother(papers: Any, backends: Backends, school: SchoolWorld) -> None:
    await school.grant("class_teacher", "anna")
    await school.derive("class_teacher")
    both = backends.sign_in(school.people["class_teacher"], "class_teacher", "guardian")
    kept = (await papers.RecordPaperDeclaration(_declaring(school), metadata=both)).declaration
    assert kept.guardian_person_id == str(school.people["class_teacher"].person_id)
    assert kept.form == paper_declaration_pb2.PAPER_DECLARATION_FORM_ELECTRONIC


async def test_nobody_declares_for_another_and_staff_write_down_what_is_told(
    papers: Any, backends: Backends, school: SchoolWorld, teacher: Any
) -> None:
    """Clause R8: the declaration is the parent's own."""
    his = str(school.people["father"].person_id)
    metadata = _family(backends, school, "mother")
    assert (
        await refused(papers.RecordPaperDeclaration(_declaring(school, guardian_person_id=his), metadata=metadata)) == NOT_OWN
    )
    words = paper_declaration_pb2.PAPER_DECLARATION_FORM_WORDS
    told = _declaring(school, guardian_person_id=his, form=words, declare_date="2026-09-01")
    kept = (await papers.RecordPaperDeclaration(told, metadata=teacher)).declaration
    assert (kept.guardian_person_id, kept.form, kept.declaration.declare_date) == (his, words, "2026-09-01")
    nobody = (grpc.StatusCode.NOT_FOUND, "PERSON_NOT_FOUND")
    assert await refused(papers.RecordPaperDeclaration(_declaring(school), metadata=teacher)) == nobody
    ahead = _declaring(school, guardian_person_id=his, declare_date="2099-01-01")
    future = (grpc.StatusCode.INVALID_ARGUMENT, "DECLARED_IN_FUTURE")
    assert await refused(papers.RecordPaperDeclaration(ahead, metadata=teacher)) == future
    revoking = paper_service_pb2.RevokePaperDeclarationRequest(
        school_id=str(school.school_id),
        student_id=str(school.people["anna"].person_id),
        declaration_id=kept.declaration.declaration_id,
        request_id=str(uuid4()),
    )
    absent = (grpc.StatusCode.NOT_FOUND, "PAPER_DECLARATION_NOT_FOUND")
    assert await refused(papers.RevokePaperDeclaration(revoking, metadata=metadata)) == absent
    other = backends.sign_in(school.people["other_class_teacher"], "class_teacher")
    assert await refused(papers.RecordPaperDeclaration(told, metadata=other)) == NO_STUDENT


async def test_a_family_reads_of_every_paper_it_has_filed(
    stub: Any, papers: Any, channel: grpc.aio.Channel, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    """Clauses R8, R12, R33: the earlier application that the access stands on, the declarations, the ending statement."""
    own = grant_service_pb2_grpc.GrantServiceStub(channel)
    mothers, fathers = _family(backends, school, "mother"), _family(backends, school, "father")
    asked, of_papers = grant_service_pb2.ListOwnGrantsRequest, paper_service_pb2.ListOwnPaperDeclarationsRequest
    [held] = (await own.ListOwnGrants(asked(school_id=str(school.school_id)), metadata=mothers)).grants
    assert (held.has_case, held.grant.HasField("end_time"), held.end_application_number) == (False, False, "")
    assert held.grant.application_number
    assert held.grant.application_date
    assert held.grant.student_id == str(school.people["anna"].person_id)
    declared = await papers.RecordPaperDeclaration(_declaring(school), metadata=fathers)
    case = (await stub.RegisterApplication(_own(school), metadata=fathers)).application
    # He signs in again, with no access left.
    await admin.execute("UPDATE sessions SET end_time = NULL WHERE account_id = $1", school.people["father"].account_id)
    [ended] = (await own.ListOwnGrants(asked(school_id=str(school.school_id)), metadata=fathers)).grants
    assert (ended.end_application_number, ended.end_application_id) == (case.number, case.application_id)
    assert (ended.grant.HasField("end_time"), ended.may_apply_again) == (True, True)
    listed = (await papers.ListOwnPaperDeclarations(of_papers(school_id=str(school.school_id)), metadata=fathers)).declarations
    assert [one.declaration.number for one in listed] == [
        case.applicants[0].paper_declaration.number,
        declared.declaration.declaration.number,
    ]
    assert {(one.student_id, one.student.given_name) for one in listed} == {(str(school.people["anna"].person_id), "Анна")}
    # Nobody is told of another's, and of the child no more than the own.
    hers = await papers.ListOwnPaperDeclarations(of_papers(school_id=str(school.school_id)), metadata=mothers)
    assert not hers.declarations
    stranger = _family(backends, school, "other_mother")
    about_anna = asked(school_id=str(school.school_id), student_id=str(school.people["anna"].person_id))
    assert not (await own.ListOwnGrants(about_anna, metadata=stranger)).grants
    no_school = (grpc.StatusCode.NOT_FOUND, "SCHOOL_NOT_FOUND")
    assert await refused(own.ListOwnGrants(asked(school_id=str(uuid4())), metadata=mothers)) == no_school
    elsewhere = papers.ListOwnPaperDeclarations(of_papers(school_id=str(uuid4())), metadata=mothers)
    assert await refused(elsewhere) == no_school


async def test_whom_an_act_has_parted_is_not_told_to_apply_again(
    stub: Any, channel: grpc.aio.Channel, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    fathers = _family(backends, school, "father")
    await stub.RegisterApplication(_own(school), metadata=fathers)
    await admin.execute("UPDATE sessions SET end_time = NULL WHERE account_id = $1", school.people["father"].account_id)
    await admin.execute(
        "UPDATE guardianships SET document = '' WHERE guardian_person_id = $1", school.people["father"].person_id
    )
    asked = grant_service_pb2.ListOwnGrantsRequest(school_id=str(school.school_id))
    own = grant_service_pb2_grpc.GrantServiceStub(channel)
    [ended] = (await own.ListOwnGrants(asked, metadata=fathers)).grants
    assert not ended.may_apply_again
