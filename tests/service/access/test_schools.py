"""What a school's papers say of it: read by anyone, written by the office, one hand at a time."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import grpc
import pytest

from diary.access.v1 import school_service_pb2 as pb
from diary.access.v1 import school_service_pb2_grpc
from tests.support.access_region import SchoolWorld
from tests.support.access_service import Backends
from tests.support.services import refused


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return school_service_pb2_grpc.SchoolServiceStub(channel)


def _update(school: SchoolWorld, etag: str, **details: str) -> pb.UpdateSchoolRequest:
    return pb.UpdateSchoolRequest(
        school_id=str(school.school_id), request_id=str(uuid4()), etag=etag, details=pb.SchoolDetails(**details)
    )


async def test_the_office_says_what_papers_say_and_anyone_reads_it(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    wanted = pb.GetSchoolRequest(school_id=str(school.school_id))
    before = await stub.GetSchool(wanted)
    assert before.details == pb.SchoolDetails()
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
