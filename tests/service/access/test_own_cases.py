"""What an applicant with an account is told of the own case, and what not (Clauses R19, R22)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest

from diary.access.v1 import application_pb2, application_service_pb2_grpc, events_pb2, refusal_pb2
from diary.access.v1 import application_service_pb2 as pb
from tests.support.services import refused
from tests.support.statements import sent
from tests.worlds.access import SchoolWorld
from tests.worlds.access_service import Backends
from tests.worlds.applications import DOCUMENT, add_vera, filing, mother, reading


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return application_service_pb2_grpc.ApplicationServiceStub(channel)


@pytest.fixture
def office(backends: Backends, school: SchoolWorld) -> Any:
    return backends.sign_in(school.people["admin"], "admin")


async def _file(
    stub: Any, admin: Any, backends: Backends, school: SchoolWorld, office: Any, document: str, kind: Any
) -> tuple[str, Any]:
    """A case about Vera by one who signs in as the boy's mother; the case and her metadata."""
    applicant = mother(authority_document=document)
    request = filing(school, school.people["vera"], applicant, kind=kind)
    case = (await stub.RegisterApplication(request, metadata=office)).application
    asking = school.people["other_mother"]
    await admin.execute(
        "UPDATE applicants SET person_id = $2 WHERE applicant_id = $1",
        UUID(case.applicants[0].applicant_id),
        asking.person_id,
    )
    return case.application_id, backends.sign_in(asking, "guardian")


async def _leave(admin: Any, school: SchoolWorld) -> None:
    """Vera never was a student."""
    await admin.execute("DELETE FROM placements WHERE student_id = $1", school.people["vera"].person_id)
    await admin.execute("DELETE FROM enrolments WHERE student_id = $1", school.people["vera"].person_id)


@pytest.mark.parametrize("kind", [application_pb2.APPLICATION_KIND_APPENDIX_1, application_pb2.APPLICATION_KIND_APPENDIX_2])
async def test_a_stranger_is_told_the_same_whether_the_child_studies_here_or_not(
    stub: Any, admin: Any, backends: Backends, school: SchoolWorld, office: Any, kind: Any
) -> None:
    """Clause R19: neither the child, nor the class, nor that the case waits for an enrolment or has a term."""
    await add_vera(school)
    told = []
    for is_student in (True, False):
        if not is_student:
            await _leave(admin, school)
        application_id, metadata = await _file(stub, admin, backends, school, office, "", kind)
        seen = (await stub.GetApplication(reading(school, application_id), metadata=metadata)).application
        assert (seen.student_id, seen.student_name, seen.class_name) == ("", "", "")
        # What differs by itself: numbers, ids and moments.
        for name in ("application_id", "number", "receive_time", "register_time"):
            seen.ClearField(name)
        for one in seen.applicants:
            one.ClearField("applicant_id")
        told.append(seen)
    assert told[0] == told[1]
    for state, count in (
        (application_pb2.APPLICATION_STATE_REGISTERED, 2),
        (application_pb2.APPLICATION_STATE_WAITS_FOR_ENROLMENT, 2),
    ):
        listing = pb.ListApplicationsRequest(school_id=str(school.school_id), state=state)
        assert len((await stub.ListApplications(listing, metadata=metadata)).applications) == count


async def test_whose_relation_is_proved_reads_of_the_child(
    stub: Any, admin: Any, backends: Backends, school: SchoolWorld, office: Any
) -> None:
    await add_vera(school)
    await _leave(admin, school)
    application_id, metadata = await _file(
        stub, admin, backends, school, office, DOCUMENT, application_pb2.APPLICATION_KIND_APPENDIX_1
    )
    seen = (await stub.GetApplication(reading(school, application_id), metadata=metadata)).application
    assert (seen.student_name, seen.state) == ("Иванова Вера", application_pb2.APPLICATION_STATE_WAITS_FOR_ENROLMENT)


async def test_many_own_cases_are_listed_by_as_many_statements_as_one(
    stub: Any, admin: Any, backends: Backends, school: SchoolWorld, office: Any
) -> None:
    await add_vera(school)
    listing = pb.ListApplicationsRequest(school_id=str(school.school_id))
    asked = []
    for count in (1, 3):
        while True:
            _, metadata = await _file(stub, admin, backends, school, office, "", application_pb2.APPLICATION_KIND_APPENDIX_1)
            with sent() as statements:
                listed = (await stub.ListApplications(listing, metadata=metadata)).applications
            if len(listed) == count:
                break
        asked.append(len(statements))
    assert asked[0] == asked[1] > 0


async def test_no_refusal_is_told_before_the_head_has_signed_it(
    stub: Any, admin: Any, backends: Backends, school: SchoolWorld, office: Any
) -> None:
    """Clause R22: a proposal decides nothing."""
    await add_vera(school)
    application_id, metadata = await _file(
        stub, admin, backends, school, office, "", application_pb2.APPLICATION_KIND_APPENDIX_1
    )
    proposal = pb.ProposeRefusalRequest(
        school_id=str(school.school_id),
        application_id=application_id,
        request_id=str(uuid4()),
        ground=refusal_pb2.REFUSAL_GROUND_NOT_AN_APPLICANT,
    )
    assert (await stub.ProposeRefusal(proposal, metadata=office)).application.HasField("refusal")
    assert not (await stub.GetApplication(reading(school, application_id), metadata=metadata)).application.HasField("refusal")
    listing = pb.ListApplicationsRequest(school_id=str(school.school_id))
    [listed] = (await stub.ListApplications(listing, metadata=metadata)).applications
    assert not listed.HasField("refusal")


async def test_an_applicant_withdraws_the_own_case_and_nobody_elses(
    stub: Any, admin: Any, backends: Backends, school: SchoolWorld, office: Any
) -> None:
    """Clause R24."""
    await add_vera(school)
    application_id, metadata = await _file(
        stub, admin, backends, school, office, DOCUMENT, application_pb2.APPLICATION_KIND_APPENDIX_1
    )
    request = pb.WithdrawApplicationRequest(
        school_id=str(school.school_id), application_id=application_id, request_id=str(uuid4())
    )
    stranger = backends.sign_in(school.people["mother"], "guardian")
    no_case = (grpc.StatusCode.NOT_FOUND, "APPLICATION_NOT_FOUND")
    assert await refused(stub.WithdrawApplication(request, metadata=stranger)) == no_case
    withdrawn = (await stub.WithdrawApplication(request, metadata=metadata)).application
    assert withdrawn.state == application_pb2.APPLICATION_STATE_WITHDRAWN
    event = await admin.fetchval(
        "SELECT payload FROM outbox WHERE school_id = $1 AND subject LIKE '%ApplicationDecided'", school.school_id
    )
    assert events_pb2.ApplicationDecided.FromString(event).state == application_pb2.APPLICATION_STATE_WITHDRAWN


async def test_whose_every_access_has_ended_still_reads_and_withdraws_the_own_case(
    stub: Any, admin: Any, backends: Backends, school: SchoolWorld, office: Any
) -> None:
    """Clauses R24, R29: an applicant without any role in the school; another's case is as absent as none."""
    await add_vera(school)
    application_id, _ = await _file(
        stub, admin, backends, school, office, DOCUMENT, application_pb2.APPLICATION_KIND_APPENDIX_1
    )
    own, strange = backends.sign_in(school.people["other_mother"]), backends.sign_in(school.people["father"])
    listing = pb.ListApplicationsRequest(school_id=str(school.school_id))
    listed = (await stub.ListApplications(listing, metadata=own)).applications
    assert [one.application_id for one in listed] == [application_id]
    assert not (await stub.ListApplications(listing, metadata=strange)).applications
    request = pb.WithdrawApplicationRequest(
        school_id=str(school.school_id), application_id=application_id, request_id=str(uuid4())
    )
    no_case = (grpc.StatusCode.NOT_FOUND, "APPLICATION_NOT_FOUND")
    for call, wanted in ((stub.GetApplication, reading(school, application_id)), (stub.WithdrawApplication, request)):
        assert await refused(call(wanted, metadata=strange)) == no_case
        assert (await call(wanted, metadata=own)).application.application_id == application_id
