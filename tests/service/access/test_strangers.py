"""Who has shown no relation, or whose relation has ended, leaves nothing but the case (Clauses R6, R8, R19)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest

from chassis.clock import SystemClock, today
from chassis.db import Database
from diary.access.v1 import (
    application_pb2,
    application_service_pb2_grpc,
    events_pb2,
    guardianship_pb2,
    paper_service_pb2,
    paper_service_pb2_grpc,
    refusal_pb2,
    roster_service_pb2,
    roster_service_pb2_grpc,
    student_pb2,
)
from diary.access.v1 import application_service_pb2 as pb
from services.access.people.actions.declarations import end_lapsed_modes
from tests.support.services import refused
from tests.worlds.access import ZONE, SchoolWorld
from tests.worlds.access_service import Backends
from tests.worlds.applications import add_vera, filing, granting, mother, set_birth_date

R19, R21 = refusal_pb2.REFUSAL_GROUND_NOT_AN_APPLICANT, refusal_pb2.REFUSAL_GROUND_OWN_STATEMENT
TODAY = today(SystemClock(), ZONE)
KINDS = [
    application_pb2.APPLICATION_KIND_APPENDIX_1,
    application_pb2.APPLICATION_KIND_APPENDIX_2,
    application_pb2.APPLICATION_KIND_APPENDIX_3,
]


class Office:
    """The class teacher's calls about Vera."""

    def __init__(self, channel: grpc.aio.Channel, backends: Backends, school: SchoolWorld) -> None:
        self.stub: Any = application_service_pb2_grpc.ApplicationServiceStub(channel)
        self.roster: Any = roster_service_pb2_grpc.RosterServiceStub(channel)
        self.papers: Any = paper_service_pb2_grpc.PaperServiceStub(channel)
        self.school = school
        self.teacher = backends.sign_in(school.people["class_teacher"], "class_teacher")
        self.admin = backends.sign_in(school.people["admin"], "admin")

    async def register(self, *applicants: application_pb2.FiledApplicant, **other: Any) -> application_pb2.Application:
        request = filing(self.school, self.school.people["vera"], *applicants, **other)
        case: application_pb2.Application = (await self.stub.RegisterApplication(request, metadata=self.teacher)).application
        return case

    async def propose(self, case: application_pb2.Application, ground: Any) -> application_pb2.Application:
        request = pb.ProposeRefusalRequest(
            school_id=str(self.school.school_id),
            application_id=case.application_id,
            request_id=str(uuid4()),
            ground=ground,
        )
        proposed: application_pb2.Application = (await self.stub.ProposeRefusal(request, metadata=self.teacher)).application
        return proposed

    async def guardians(self, key: str = "vera") -> list[student_pb2.Guardianship]:
        request = roster_service_pb2.ListGuardianshipsRequest(
            school_id=str(self.school.school_id), student_id=str(self.school.people[key].person_id)
        )
        return list((await self.roster.ListGuardianships(request, metadata=self.admin)).guardianships)

    def declare(self, guardian_person_id: str, key: str = "vera") -> Any:
        request = paper_service_pb2.RecordPaperDeclarationRequest(
            school_id=str(self.school.school_id),
            student_id=str(self.school.people[key].person_id),
            request_id=str(uuid4()),
            guardian_person_id=guardian_person_id,
            reason=application_pb2.PAPER_REASON_DOES_NOT_WANT,
        )
        return self.papers.RecordPaperDeclaration(request, metadata=self.admin)

    async def end(self, guardianship_id: str) -> None:
        request = roster_service_pb2.EndGuardianshipRequest(
            school_id=str(self.school.school_id),
            guardianship_id=guardianship_id,
            request_id=str(uuid4()),
            ground="решение суда от 20.11.2026 № 2-145",
        )
        await self.roster.EndGuardianship(request, metadata=self.admin)


@pytest.fixture
async def office(channel: grpc.aio.Channel, backends: Backends, school: SchoolWorld) -> Office:
    await add_vera(school)
    return Office(channel, backends, school)


async def _modes(admin: Any, school: SchoolWorld) -> list[bool]:
    """Whether each told paper mode is in force, in the order they were told."""
    rows = await admin.fetch(
        "SELECT payload FROM outbox WHERE school_id = $1 AND subject LIKE '%.PaperModeChanged' ORDER BY event_number",
        school.school_id,
    )
    return [events_pb2.PaperModeChanged.FromString(row["payload"]).is_in_force for row in rows]


@pytest.mark.parametrize("kind", KINDS)
async def test_who_shows_no_relation_stands_in_no_card_and_goes_on_no_paper(
    office: Office, admin: Any, school: SchoolWorld, kind: Any
) -> None:
    """Clauses R8, R19: by no door; the refusal tells nothing of the child, whatever was asked."""
    case = await office.register(mother(authority_document=""), kind=kind)
    assert not await office.guardians()
    assert not case.applicants[0].HasField("paper_declaration")
    not_there = (grpc.StatusCode.NOT_FOUND, "PERSON_NOT_FOUND")
    assert await refused(office.declare(case.applicants[0].person_id)) == not_there
    if kind != application_pb2.APPLICATION_KIND_APPENDIX_1:
        unproved = (grpc.StatusCode.FAILED_PRECONDITION, "GROUND_NOT_PROVED")
        assert await refused(office.propose(case, R21)) == unproved
    proposed = await office.propose(case, R19)
    assert proposed.refusal.reason == refusal_pb2.REFUSAL_REASON_RELATION_NOT_PROVED
    assert not await _modes(admin, school)
    assert not await office.guardians()
    assert (
        await admin.fetchval("SELECT count(*) FROM guardianships WHERE student_id = $1", school.people["vera"].person_id) == 0
    )


async def test_a_relation_enters_the_card_with_the_granting(office: Office, school: SchoolWorld) -> None:
    """Clause R6: not with the filing, whatever document is named; with its last day."""
    power = mother(
        guardian_kind=guardianship_pb2.GUARDIAN_KIND_REPRESENTATIVE,
        authority_document="доверенность № 5",
        authority_date=(TODAY - timedelta(days=30)).isoformat(),
        authority_end_date=(TODAY + timedelta(days=30)).isoformat(),
    )
    case = await office.register(power)
    assert case.applicants[0].authority_end_date == (TODAY + timedelta(days=30)).isoformat()
    assert not await office.guardians()
    assert await refused(office.declare(case.applicants[0].person_id)) == (grpc.StatusCode.NOT_FOUND, "PERSON_NOT_FOUND")
    request = granting(school, case.application_id)
    granted = (await office.stub.GrantApplication(request, metadata=office.teacher)).application
    [held] = await office.guardians()
    assert (held.guardian_person_id, held.to_date) == (granted.applicants[0].person_id, power.authority_end_date)
    assert granted.applicants[0].has_access
    assert "действует по " in granted.log[-1].ground


async def test_an_access_ends_with_the_power_it_stands_on(office: Office, admin: Any, school: SchoolWorld) -> None:
    """Clause R6: at midnight after the last day, nobody need do anything."""
    power = mother(
        guardian_kind=guardianship_pb2.GUARDIAN_KIND_REPRESENTATIVE,
        authority_document="доверенность № 5",
        authority_date=(TODAY - timedelta(days=30)).isoformat(),
    )
    case = await office.register(power)
    await office.stub.GrantApplication(granting(school, case.application_id), metadata=office.teacher)
    ends = await admin.fetchval(
        """
        SELECT r.valid_to_time AT TIME ZONE $2 FROM relations r JOIN grants g ON g.grant_id = r.fact_id
        WHERE g.student_id = $1
        """,
        school.people["vera"].person_id,
        ZONE,
    )
    issued = TODAY - timedelta(days=30)
    assert ends.date() == date(issued.year + 1, issued.month, issued.day) + timedelta(days=1)


async def test_what_ran_out_before_it_was_filed_is_refused_and_not_granted(office: Office, school: SchoolWorld) -> None:
    """Clauses R6, R19."""
    power = mother(
        guardian_kind=guardianship_pb2.GUARDIAN_KIND_REPRESENTATIVE,
        authority_document="доверенность № 5",
        authority_date=(TODAY - timedelta(days=400)).isoformat(),
    )
    case = await office.register(power)
    grant = office.stub.GrantApplication(granting(school, case.application_id), metadata=office.teacher)
    assert await refused(grant) == (grpc.StatusCode.FAILED_PRECONDITION, "CHECKLIST_INCOMPLETE")
    proposed = await office.propose(case, R19)
    assert proposed.refusal.authority_ending == guardianship_pb2.AUTHORITY_ENDING_POWER_EXPIRED


async def test_a_person_of_one_name_is_granted(office: Office, school: SchoolWorld) -> None:
    """A mother who has no other name."""
    case = await office.register(mother(family_name="Айгуль", given_name="", patronymic=""))
    granted = await office.stub.GrantApplication(granting(school, case.application_id), metadata=office.teacher)
    assert granted.application.applicants[0].login


async def test_an_ended_guardianship_ends_the_paper_mode_and_opens_no_other(
    office: Office, admin: Any, school: SchoolWorld
) -> None:
    """Clauses R6, R8: from the answer on, also of a guardianship of that day, by no door."""
    case = await office.register(mother(), kind=application_pb2.APPLICATION_KIND_APPENDIX_2)
    [held] = await office.guardians()
    assert await _modes(admin, school) == [True]
    await office.end(held.guardianship_id)
    assert await _modes(admin, school) == [True, False]
    assert not await office.guardians()
    person_id = case.applicants[0].person_id
    assert await refused(office.declare(person_id)) == (grpc.StatusCode.NOT_FOUND, "PERSON_NOT_FOUND")
    again = filing(school, school.people["vera"], mother(person_id=person_id))
    answer = await refused(office.stub.RegisterApplication(again, metadata=office.teacher))
    assert answer == (grpc.StatusCode.NOT_FOUND, "PERSON_NOT_FOUND")
    # By name that person applies anew as anybody, and is asked about by nobody.
    anew = await office.register(mother())
    assert anew.applicants[0].person_id != person_id


async def test_a_second_case_of_one_whom_an_act_has_parted_is_not_granted(office: Office, school: SchoolWorld) -> None:
    """Clause R6: no pending case of that person about that child, whatever document it names."""
    first = await office.register(mother())
    second = await office.register(mother(person_id=first.applicants[0].person_id))
    await office.stub.GrantApplication(granting(school, first.application_id), metadata=office.teacher)
    [held] = await office.guardians()
    await office.end(held.guardianship_id)
    grant = office.stub.GrantApplication(granting(school, second.application_id), metadata=office.teacher)
    assert await refused(grant) == (grpc.StatusCode.FAILED_PRECONDITION, "CHECKLIST_INCOMPLETE")
    proposed = await office.propose(second, R19)
    assert proposed.refusal.reason == refusal_pb2.REFUSAL_REASON_AUTHORITY_ENDED


async def test_a_paper_mode_ends_with_the_authority_that_time_ends(
    office: Office, admin: Any, backends: Backends, school: SchoolWorld
) -> None:
    """Clauses R6, R8: coming of age, the last day of a power; told to the other services, once."""
    await office.register(mother(), kind=application_pb2.APPLICATION_KIND_APPENDIX_2)
    database = await Database.connect(backends.clone.app_dsns["access"], "access", size=1)
    await end_lapsed_modes(database, SystemClock(), school.school_id)
    assert await _modes(admin, school) == [True]
    await admin.execute(
        "UPDATE guardianships SET validity = daterange($2, $3) WHERE student_id = $1",
        school.people["vera"].person_id,
        TODAY - timedelta(days=2),
        TODAY,
    )
    await end_lapsed_modes(database, SystemClock(), school.school_id)
    await end_lapsed_modes(database, SystemClock(), school.school_id)
    assert await _modes(admin, school) == [True, False]
    await database.close()


async def test_of_two_signers_one_stranger_signs_apart(office: Office) -> None:
    """Clauses R19, R21: a case is decided by one ground."""
    request = filing(
        office.school,
        office.school.people["vera"],
        mother(),
        mother(family_name="Чужой", authority_document=""),
        kind=application_pb2.APPLICATION_KIND_APPENDIX_2,
    )
    answer = await refused(office.stub.RegisterApplication(request, metadata=office.teacher))
    assert answer == (grpc.StatusCode.FAILED_PRECONDITION, "RELATION_NOT_SHOWN")
    assert not await office.guardians()


async def test_a_mother_of_another_student_is_named_once_and_keeps_her_account(
    office: Office, admin: Any, school: SchoolWorld
) -> None:
    """One adult, one account: by her person and the document that shows the relation to this child too."""
    await set_birth_date(school, school.people["anna"], date(2012, 5, 14))
    anna = school.people["mother"]
    case = await office.register(mother(person_id=str(anna.person_id), family_name="", given_name="", patronymic=""))
    granted = await office.stub.GrantApplication(granting(school, case.application_id), metadata=office.teacher)
    [applicant] = granted.application.applicants
    assert applicant.person_id == str(anna.person_id)
    accounts = await admin.fetch("SELECT account_id FROM grants WHERE holder_person_id = $1", anna.person_id)
    assert {row["account_id"] for row in accounts} == {anna.account_id}
