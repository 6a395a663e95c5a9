"""What a school's papers say of it: read by anyone, written by the office, one hand at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest

from chassis.clock import SystemClock, today
from diary.access.v1 import application_service_pb2_grpc, school_pb2, school_service_pb2_grpc
from diary.access.v1 import school_service_pb2 as pb
from tests.support.services import refused
from tests.worlds.access import ZONE, SchoolWorld
from tests.worlds.access_service import Backends
from tests.worlds.applications import filing, mother, reading


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return school_service_pb2_grpc.SchoolServiceStub(channel)


def _update(school: SchoolWorld, etag: str, **details: str) -> pb.UpdateSchoolRequest:
    return pb.UpdateSchoolRequest(
        school_id=str(school.school_id), request_id=str(uuid4()), etag=etag, details=school_pb2.SchoolDetails(**details)
    )


async def test_the_office_says_what_papers_say_and_anyone_reads_it(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    wanted = pb.GetSchoolRequest(school_id=str(school.school_id))
    before = await stub.GetSchool(wanted)
    assert before.details == school_pb2.SchoolDetails()
    office = backends.sign_in(school.people["admin"], "admin")
    request = _update(school, before.etag, address="с. Александровка,\nул. Школьная, 1", head_position="директор")
    for _ in range(2):
        written = await stub.UpdateSchool(request, metadata=office)
    assert written.details.address == "с. Александровка, ул. Школьная, 1"
    # The head's name is kept in no answer.
    assert await admin.fetchval("SELECT answer FROM requests WHERE request_id = $1", request.request_id) == b""
    after = await stub.GetSchool(wanted)
    assert (after.details, after.etag) == (written.details, written.etag)


async def test_of_two_who_read_the_same_the_second_is_told(stub: Any, backends: Backends, school: SchoolWorld) -> None:
    etag = (await stub.GetSchool(pb.GetSchoolRequest(school_id=str(school.school_id)))).etag
    admin = backends.sign_in(school.people["admin"], "admin")
    await stub.UpdateSchool(_update(school, etag, phone="1"), metadata=admin)
    stale = (grpc.StatusCode.ABORTED, "ETAG_STALE")
    assert await refused(stub.UpdateSchool(_update(school, etag, phone="2"), metadata=admin)) == stale


async def test_others_do_not_change_it_and_no_school_is_as_absent(stub: Any, backends: Backends, school: SchoolWorld) -> None:
    absent = (grpc.StatusCode.NOT_FOUND, "SCHOOL_NOT_FOUND")
    pretending = backends.sign_in(school.people["mother"], "admin")
    assert await refused(stub.UpdateSchool(_update(school, "0", phone="1"), metadata=pretending)) == absent
    assert await refused(stub.GetSchool(pb.GetSchoolRequest(school_id=str(uuid4())))) == absent


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "не почта"), ("phone", "<script>alert(1)</script>"), ("phone", "позвоните"), ("email", "a@b@c")],
)
async def test_what_is_no_address_or_phone_is_printed_on_no_paper(
    stub: Any, backends: Backends, school: SchoolWorld, field: str, value: str
) -> None:
    office = backends.sign_in(school.people["admin"], "admin")
    answer = await refused(stub.UpdateSchool(_update(school, "0", **{field: value}), metadata=office))
    assert answer == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")
    said = {"email": "school@школа.рф", "phone": "+7 (36556) 2-12-12 доб. 3, 8-800-000-00-00"}
    assert (await stub.UpdateSchool(_update(school, "0", **said), metadata=office)).details.email == said["email"]


def _adoption(school: SchoolWorld, **other: str) -> pb.AdoptRegulationRequest:
    words = {
        "title": "Регламент услуги «Электронный дневник»",
        "order_number": "213",
        "order_date": "2024-08-28",
        "valid_from_date": "2024-09-01",
    }
    return pb.AdoptRegulationRequest(school_id=str(school.school_id), request_id=str(uuid4()), **{**words, **other})


async def test_a_school_adopts_its_regulation_and_open_cases_of_its_days_are_judged_by_it(
    stub: Any, channel: grpc.aio.Channel, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    """Clauses R1, R2: by the version of the day of receipt; the log says so. A repeat changes nothing."""
    office = backends.sign_in(school.people["admin"], "admin")
    applications: Any = application_service_pb2_grpc.ApplicationServiceStub(channel)
    vera = await school.add_student("vera", "8-А", "Иванова", "Вера")
    request = filing(school, vera, mother(authority_document=""))
    case = (await applications.RegisterApplication(request, metadata=office)).application
    assert case.regulation == "Типовой регламент"
    wanted = pb.GetSchoolRequest(school_id=str(school.school_id))
    assert not (await stub.GetSchool(wanted)).HasField("regulation")
    adoption = _adoption(school)
    for _ in range(2):
        await stub.AdoptRegulation(adoption, metadata=office)
    assert (await stub.GetSchool(wanted)).regulation.order_number == "213"
    day = today(SystemClock(), ZONE)
    later = (day + timedelta(days=1)).isoformat()
    await stub.AdoptRegulation(_adoption(school, order_number="5", valid_from_date=later), metadata=office)
    read = (await applications.GetApplication(reading(school, case.application_id), metadata=office)).application
    assert read.regulation == "приказ от 28.08.2024 № 213"
    assert [line.ground for line in read.log][1:] == [
        "заявление рассматривается по регламенту школы: приказ от 28.08.2024 № 213"
    ]
    known = (grpc.StatusCode.ALREADY_EXISTS, "REGULATION_KNOWN")
    assert await refused(stub.AdoptRegulation(_adoption(school, order_number="7"), metadata=office)) == known


@pytest.mark.parametrize(
    "wrong", [{"order_date": "2999-01-01", "valid_from_date": "2999-01-02"}, {"valid_from_date": "2024-08-27"}, {"title": " "}]
)
async def test_no_order_of_tomorrow_and_nothing_before_its_order(
    stub: Any, backends: Backends, school: SchoolWorld, wrong: dict[str, str]
) -> None:
    """Clause R1."""
    office = backends.sign_in(school.people["admin"], "admin")
    answer = await refused(stub.AdoptRegulation(_adoption(school, **wrong), metadata=office))
    assert answer == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")
