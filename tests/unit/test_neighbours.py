"""The stand-in of all services answers as a test tells it, and says nothing by itself."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
import pytest_asyncio

from chassis.auth import ServiceToken
from chassis.clients import connect
from chassis.clock import SystemClock
from diary.access.v1 import roster_service_pb2, roster_service_pb2_grpc, school_service_pb2, school_service_pb2_grpc
from tests.support.services import refused
from tests.worlds.neighbours import RPCS, Neighbours, Refusal

BATCH = "diary.access.v1.RosterService/BatchGetRoster"
WANTED = roster_service_pb2.BatchGetRosterRequest(school_id=str(uuid4()))


@pytest_asyncio.fixture
async def neighbours() -> AsyncIterator[Neighbours]:
    async with Neighbours().listening() as found:
        yield found


@pytest_asyncio.fixture
async def channel(neighbours: Neighbours) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(neighbours.address) as found:
        yield found


@pytest.fixture
def roster(channel: grpc.aio.Channel) -> Any:
    return roster_service_pb2_grpc.RosterServiceStub(channel)


async def test_every_rpc_of_every_service_is_unanswered_at_first(neighbours: Neighbours, channel: grpc.aio.Channel) -> None:
    assert len(RPCS) > 60
    for rpc in RPCS:
        ask: Any = channel.unary_unary(f"/{rpc}")
        assert await refused(ask(b"")) == (grpc.StatusCode.UNIMPLEMENTED, "")
    assert [call.rpc for call in neighbours.calls] == list(RPCS)


async def test_an_answer_is_a_message_a_function_of_the_request_or_a_refusal(neighbours: Neighbours, roster: Any) -> None:
    answer = roster_service_pb2.BatchGetRosterResponse()
    answer.entries.add().student.student_id = "1"
    neighbours.answer(BATCH, answer)
    assert await roster.BatchGetRoster(WANTED) == answer
    neighbours.answer(
        BATCH, lambda request: roster_service_pb2.BatchGetRosterResponse(entries=[answer.entries[0]] * request.kind)
    )
    wanted = roster_service_pb2.BatchGetRosterRequest(kind=3)  # type: ignore[arg-type]  # a number will do
    assert len((await roster.BatchGetRoster(wanted)).entries) == 3
    neighbours.answer(BATCH, Refusal(grpc.StatusCode.NOT_FOUND, "SCHOOL_NOT_FOUND"))
    assert await refused(roster.BatchGetRoster(WANTED)) == (grpc.StatusCode.NOT_FOUND, "SCHOOL_NOT_FOUND")


async def test_calls_are_kept_with_what_they_bore(neighbours: Neighbours, roster: Any) -> None:
    neighbours.answer(BATCH, roster_service_pb2.BatchGetRosterResponse())
    await roster.BatchGetRoster(WANTED, metadata=[("x-request-id", "1")])
    assert neighbours.sent(BATCH) == [WANTED]
    assert neighbours.calls[0].metadata["x-request-id"] == "1"


def test_what_no_proto_has_cannot_be_answered() -> None:
    with pytest.raises(AssertionError, match="no proto has"):
        Neighbours().answer("diary.access.v1.RosterService/GetRoster", roster_service_pb2.BatchGetRosterResponse())


async def test_one_that_fails_or_is_slow_is_named_by_rpc_service_or_package(
    neighbours: Neighbours, channel: grpc.aio.Channel, roster: Any
) -> None:
    schools: Any = school_service_pb2_grpc.SchoolServiceStub(channel)
    neighbours.answer(BATCH, roster_service_pb2.BatchGetRosterResponse())
    neighbours.answer("diary.access.v1.SchoolService/ListSchools", school_service_pb2.ListSchoolsResponse())
    for name in (BATCH, "diary.access.v1.RosterService", "diary.access"):
        neighbours.fail(name)
        assert await refused(roster.BatchGetRoster(WANTED)) == (grpc.StatusCode.UNAVAILABLE, "")
        neighbours.mend()
        await roster.BatchGetRoster(WANTED)
    with neighbours.slow("diary.access.v1.RosterService") as came:
        waiting = asyncio.ensure_future(roster.BatchGetRoster(WANTED))
        await came.wait()
        await schools.ListSchools(school_service_pb2.ListSchoolsRequest())
        assert not waiting.done()
    await waiting


async def test_services_come_in_with_a_token_where_the_proto_names_them(neighbours: Neighbours, keys_dir: Path) -> None:
    neighbours.admit_services(keys_dir)
    neighbours.answer(BATCH, roster_service_pb2.BatchGetRosterResponse())
    async with grpc.aio.insecure_channel(neighbours.address) as channel:
        stub: Any = roster_service_pb2_grpc.RosterServiceStub(channel)
        assert await refused(stub.BatchGetRoster(WANTED)) == (grpc.StatusCode.PERMISSION_DENIED, "TOKEN_INVALID")
    for service, is_let_in in (("journal", True), ("access", False)):
        async with connect(neighbours.address, ServiceToken(keys_dir, service, SystemClock())) as channel:
            call: Any = roster_service_pb2_grpc.RosterServiceStub(channel).BatchGetRoster(WANTED)
            if is_let_in:
                await call
            else:
                assert await refused(call) == (grpc.StatusCode.PERMISSION_DENIED, "SERVICE_NOT_ALLOWED")
