"""gRPC and gRPC-Web through a real Envoy: passed through untouched, refusals with their details, a service that is away."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import grpc
import httpx
import pytest
import pytest_asyncio
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from deploy.gateway import Limit
from diary.access.v1 import (
    grant_service_pb2,
    grant_service_pb2_grpc,
    roster_service_pb2,
    roster_service_pb2_grpc,
    session_service_pb2,
    session_service_pb2_grpc,
)
from diary.journal.v1 import diary_service_pb2, diary_service_pb2_grpc
from tests.support.envoy import Gateway, running_gateway
from tests.support.eventually import eventually


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def channel(gateway: Gateway) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(gateway.target) as opened:
        yield opened


def reason(error: grpc.aio.AioRpcError) -> ErrorInfo:
    """The ErrorInfo in a refusal's trailers."""
    [encoded] = [value for key, value in error.trailing_metadata() if key == "grpc-status-details-bin"]
    info = ErrorInfo()
    assert isinstance(encoded, bytes)
    status = Status.FromString(encoded)
    assert status.code == error.code().value[0]
    assert status.details[0].Unpack(info)
    return info


def authorization(gateway: Gateway) -> tuple[tuple[str, str], ...]:
    return tuple(gateway.bearer().items())


async def test_call_and_its_metadata_pass_through(gateway: Gateway, channel: grpc.aio.Channel) -> None:
    stub = session_service_pb2_grpc.SessionServiceStub(channel)
    answer = await stub.GetCaller(session_service_pb2.GetCallerRequest(), metadata=authorization(gateway))
    assert answer.account_id == "a1"
    _, _, metadata = gateway.upstream.last()
    assert metadata["authorization"] == gateway.bearer()["authorization"]
    assert metadata["x-request-id"]


async def test_refusal_of_a_service_keeps_its_details(gateway: Gateway, channel: grpc.aio.Channel) -> None:
    stub = grant_service_pb2_grpc.GrantServiceStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.RevokeGrant(grant_service_pb2.RevokeGrantRequest(grant_id="g1"), metadata=authorization(gateway))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert reason(refused.value) == ErrorInfo(reason="GRANT_NOT_FOUND", domain="access.diary", metadata={"grant_id": "g1"})


async def test_call_without_a_token_and_with_a_bad_one_are_refused(channel: grpc.aio.Channel) -> None:
    stub = session_service_pb2_grpc.SessionServiceStub(channel)
    for metadata, expected in (((), "TOKEN_MISSING"), ((("authorization", "Bearer rubbish"),), "TOKEN_INVALID")):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetCaller(session_service_pb2.GetCallerRequest(), metadata=metadata)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert reason(refused.value) == ErrorInfo(reason=expected, domain="gateway.diary")


async def test_bad_token_does_not_block_sign_in(channel: grpc.aio.Channel) -> None:
    stub = session_service_pb2_grpc.SessionServiceStub(channel)
    request = session_service_pb2.CreateSessionRequest(login="maria", password="p")
    answer = await stub.CreateSession(request, metadata=(("authorization", "Bearer rubbish"),))
    assert answer.tokens.session_id == "maria"


async def test_method_for_services_is_not_there(gateway: Gateway, channel: grpc.aio.Channel) -> None:
    stub = roster_service_pb2_grpc.RosterServiceStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.ListRoster(roster_service_pb2.ListRosterRequest(), metadata=authorization(gateway))
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert reason(refused.value) == ErrorInfo(reason="METHOD_NOT_FOUND", domain="gateway.diary")
    assert "ListRoster" not in [name for name, _, _ in gateway.upstream.calls]


async def test_health_and_reflection_of_services_are_not_there(channel: grpc.aio.Channel) -> None:
    for path in ("/grpc.health.v1.Health/Check", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"):
        call = channel.unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(b"")
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_grpc_web_passes_and_its_refusals_keep_their_details(gateway: Gateway) -> None:
    headers = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
    path = "/diary.access.v1.SessionService/GetCaller"
    empty_message = bytes(5)
    answer = await gateway.client.post(path, content=empty_message, headers=headers | gateway.bearer())
    assert answer.status_code == 200
    length = int.from_bytes(answer.content[1:5])
    assert session_service_pb2.GetCallerResponse.FromString(answer.content[5 : 5 + length]).account_id == "a1"
    assert b"grpc-status:0" in answer.content[5 + length :]

    refused = await gateway.client.post(path, content=empty_message, headers=headers)
    assert refused.headers["grpc-status"] == "16"
    details = base64.b64decode(refused.headers["grpc-status-details-bin"] + "==")
    assert b"TOKEN_MISSING" in Status.FromString(details).details[0].value


async def test_service_that_is_away_is_named_unavailable(gateway: Gateway, channel: grpc.aio.Channel) -> None:
    path = "/v1/schools/s1/students/p1/diary"
    answer = await gateway.client.get(path, headers=gateway.bearer())
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["retry-after"] == "5"
    assert (answer.json()["code"], answer.json()["details"][0]["reason"]) == (14, "SERVICE_UNAVAILABLE")

    stub = diary_service_pb2_grpc.DiaryServiceStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.GetDiaryWeek(diary_service_pb2.GetDiaryWeekRequest(), metadata=authorization(gateway))
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert reason(refused.value).reason == "SERVICE_UNAVAILABLE"


async def test_portal_that_is_away_is_a_page_in_russian(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, with_upstreams=False) as gateway:
        answer = await gateway.client.get("/diary/week")
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "Дневник сейчас недоступен" in answer.text


async def test_restart_of_a_service_loses_and_doubles_no_write(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, sign_in_limit=Limit(100_000, 100_000)) as gateway:
        sent: list[str] = []
        restarted = asyncio.Event()

        async def write() -> list[httpx.Response]:
            answers: list[httpx.Response] = []
            while not (restarted.is_set() and len(answers) > 20):
                sent.append(str(uuid4()))
                answers.append(await gateway.client.post("/v1/sessions", json={"login": sent[-1]}))
            return answers

        writers = [asyncio.create_task(write()) for _ in range(4)]
        for _ in range(3):
            await gateway.restart_upstream()
        restarted.set()
        statuses = [answer.status_code for writer in writers for answer in await writer]
        handled = [request.login for _, request, _ in gateway.upstream.calls]
        assert set(statuses) == {200}
        assert sorted(handled) == sorted(sent)


async def test_write_whose_answer_was_lost_is_not_sent_again(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        gateway.upstream.go.clear()
        write = asyncio.create_task(gateway.client.post("/v1/sessions", json={"login": "maria"}))
        await eventually(lambda: len(gateway.upstream.calls) == 1, why="the write reached the service")
        await gateway.upstream.stop(grace=None)
        gateway.upstream.go.set()
        await gateway.upstream.start()
        assert (await write).status_code >= 500
        assert len(gateway.upstream.calls) == 1


async def test_call_past_its_deadline_is_told_so(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        gateway.upstream.go.clear()
        headers = {"content-type": "application/grpc-web+proto", "grpc-timeout": "100m"}
        path = "/diary.access.v1.SessionService/CreateSession"
        answer = await gateway.client.post(path, content=bytes(5), headers=headers)
        status = Status.FromString(base64.b64decode(answer.headers["grpc-status-details-bin"] + "=="))
        assert b"SERVICE_TIMEOUT" in status.details[0].value
        assert answer.headers["grpc-status"] == str(status.code)
        gateway.upstream.go.set()
