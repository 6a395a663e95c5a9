"""The frame of a call, shown on a service of two methods: one that is asked, and one that asks it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
import pytest_asyncio
import structlog
from grpc_reflection.v1alpha import reflection_pb2

from chassis import auth, calls, clients, log
from chassis.auth import ServiceToken, Verifier
from chassis.clock import SystemClock
from chassis.interceptors import WrappingServer, read_rules
from chassis.server import Server
from diary.access.v1 import school_service_pb2, school_service_pb2_grpc
from diary.documents.v1 import document_pb2, document_service_pb2_grpc
from tests.support.services import none_ended, refused, sign_service
from tests.worlds.neighbours import Call, Neighbours

SLIPS = "diary.documents.v1.DocumentService"
SCHOOLS = "diary.access.v1.SchoolService"


def _wanted() -> Any:
    return document_pb2.FetchDocumentRequest(school_id=str(uuid4()), document_id=str(uuid4()))


class Pair:
    """Both services, listening: documents, which notes who asks it, and access, which asks documents before it answers."""

    def __init__(self, keys_dir: Path) -> None:
        self.slips, schools = Neighbours(), Neighbours()
        self.callers: list[str] = []
        self.slips.answer(f"{SLIPS}/FetchDocument", self._fetch)
        self.slips.answer(f"{SLIPS}/VerifyDocument", document_pb2.VerifyDocumentResponse())
        self.verifier = Verifier(keys_dir / "jwks.json", SystemClock())
        self.documents = Server("documents", [self.slips.part(SLIPS)], self.verifier, "127.0.0.1:0", none_ended)
        # notify's key, since notify may fetch documents.
        token = ServiceToken(keys_dir, "notify", SystemClock())
        self.inner = clients.connect(f"127.0.0.1:{self.documents.port}", token, seconds=3)
        self._stub = document_service_pb2_grpc.DocumentServiceStub(self.inner)
        schools.answer(f"{SCHOOLS}/ListSchools", self._ask_first)
        parts = [schools.part(SCHOOLS)]
        self.access = Server("access", parts, self.verifier, "127.0.0.1:0", none_ended, shows_methods=True)

    @property
    def heard(self) -> Call:
        """The last call that documents had."""
        return self.slips.calls[-1]

    def _fetch(self, _: Any) -> document_pb2.FetchDocumentResponse:
        self.callers.append(auth.caller().service)
        log.logger().info("asked")
        return document_pb2.FetchDocumentResponse()

    async def _ask_first(self, _: Any) -> school_service_pb2.ListSchoolsResponse:
        await self._stub.FetchDocument(_wanted())
        return school_service_pb2.ListSchoolsResponse()

    def channel(self, server: Server) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(f"127.0.0.1:{server.port}")


@pytest_asyncio.fixture
async def pair(keys_dir: Path) -> AsyncIterator[Pair]:
    both = Pair(keys_dir)
    await both.documents.start()
    await both.access.start()
    yield both
    await both.inner.close()
    await both.access.drain()
    await both.documents.drain()


async def _list(pair: Pair, *headers: tuple[str, str], seconds: float | None = None) -> None:
    async with pair.channel(pair.access) as channel:
        stub: Any = school_service_pb2_grpc.SchoolServiceStub(channel)
        await stub.ListSchools(school_service_pb2.ListSchoolsRequest(), metadata=headers, timeout=seconds)


async def test_the_thread_of_a_call_is_handed_on(pair: Pair) -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await _list(pair, ("x-request-id", "a request"), ("traceparent", traceparent))
    assert pair.heard.metadata["x-request-id"] == "a request"
    assert pair.heard.metadata["traceparent"] == traceparent
    await _list(pair)
    assert "x-request-id" not in pair.heard.metadata


async def test_a_call_on_behalf_of_another_ends_before_it(pair: Pair) -> None:
    await _list(pair, seconds=1.0)
    assert pair.heard.seconds is not None
    # Read as the call came in: later than it was sent, so it has less left than it was given.
    assert pair.heard.seconds <= 1.0 - 0.02
    await _list(pair, seconds=60)
    assert 1.0 < pair.heard.seconds < 3.5
    await _list(pair)
    assert 1.0 < pair.heard.seconds < 3.5


def test_seconds_left_are_never_more_than_asked_for_nor_less_than_none() -> None:
    calls.bind({}, None)
    assert calls.seconds_left(2.0) == 2.0
    calls.bind({}, 100.0)
    assert calls.seconds_left(2.0) == 2.0
    calls.bind({}, 1.0)
    assert calls.seconds_left(2.0) <= 0.98
    calls.bind({}, 0.01)
    assert calls.seconds_left(2.0) == 0.0


async def test_lines_of_a_call_name_its_request_and_the_service_that_calls(
    pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        await _list(pair, ("x-request-id", "request-1"))
    told = [(line["event"], line["request_id"], line.get("method"), line.get("caller_service")) for line in lines]
    assert told == [
        ("asked", "request-1", None, None),
        ("call", "request-1", "documents.v1.DocumentService/FetchDocument", "notify"),
        ("call", "request-1", "access.v1.SchoolService/ListSchools", ""),
    ]


def test_of_a_clients_headers_those_are_handed_on_that_can_be() -> None:
    for given in ("a\tb", "запрос", "caf\u00e9", b"bytes"):
        calls.bind({"x-request-id": given, "traceparent": given}, None)
        assert calls.headers() == []
    calls.bind({"x-request-id": "x" * 10_000}, None)
    assert calls.headers() == [("x-request-id", "x" * 128)]
    calls.bind({}, None)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_schemes_name_has_no_case(pair: Pair, keys_dir: Path, scheme: str) -> None:
    [(name, value)] = sign_service(keys_dir, "notify")
    async with pair.channel(pair.documents) as channel:
        stub: Any = document_service_pb2_grpc.DocumentServiceStub(channel)
        await stub.FetchDocument(_wanted(), metadata=[(name, f"{scheme} {value.split()[1]}")])
    assert pair.callers == ["notify"]


async def test_a_request_larger_than_its_method_takes_is_refused(pair: Pair, keys_dir: Path) -> None:
    async with pair.channel(pair.documents) as channel:
        fetch: Any = channel.unary_unary(f"/{SLIPS}/FetchDocument")
        metadata = sign_service(keys_dir, "notify")
        too_large = (grpc.StatusCode.RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE")
        assert await refused(fetch(b"x" * 65_537, metadata=metadata)) == too_large
        # Before it is read: these are no request.
        assert await refused(fetch(b"\xff" * 65_536, metadata=metadata)) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "REQUEST_INVALID",
        )
        verify: Any = channel.unary_unary(f"/{SLIPS}/VerifyDocument")
        assert await refused(verify(b"x" * 8_388_609)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "")
        wanted = document_pb2.VerifyDocumentRequest(file=b"x" * 7_000_000)
        await document_service_pb2_grpc.DocumentServiceStub(channel).VerifyDocument(wanted)


async def test_a_service_receives_no_more_than_its_largest_request(pair: Pair) -> None:
    async with pair.channel(pair.access) as channel:
        ask: Any = channel.unary_unary(f"/{SCHOOLS}/ListSchools")
        refusal = await refused(ask(b"x" * 65_537))
        # By gRPC itself, as soon as the message's length is read, and so without a reason.
        assert refusal == (grpc.StatusCode.RESOURCE_EXHAUSTED, "")


async def test_a_method_that_declares_nothing_is_refused(keys_dir: Path) -> None:
    verifier = Verifier(keys_dir / "jwks.json", SystemClock())
    slips = Neighbours()
    slips.answer(f"{SLIPS}/FetchDocument", document_pb2.FetchDocumentResponse())
    rules = read_rules([SLIPS])
    del rules[f"/{SLIPS}/VerifyDocument"]
    server = grpc.aio.server()
    wrapping: Any = WrappingServer(server, "documents", rules, verifier, none_ended)
    part = slips.part(SLIPS)
    part.add(part.servicer, wrapping)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub: Any = document_service_pb2_grpc.DocumentServiceStub(channel)
        for metadata in ((), sign_service(keys_dir, "notify")):
            refusal = await refused(stub.VerifyDocument(document_pb2.VerifyDocumentRequest(), metadata=metadata))
            assert refusal == (grpc.StatusCode.PERMISSION_DENIED, "METHOD_NOT_DECLARED")
        await stub.FetchDocument(_wanted(), metadata=sign_service(keys_dir, "notify"))
    await server.stop(None)


async def _names(pair: Pair, server: Server) -> list[str]:
    async with pair.channel(server) as channel:
        ask: Any = channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        call = ask(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
        async for answer in call:
            return [service.name for service in answer.list_services_response.service]
    return []


async def test_methods_are_shown_where_the_settings_say_so_only(pair: Pair) -> None:
    assert SCHOOLS in await _names(pair, pair.access)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await asyncio.wait_for(_names(pair, pair.documents), 10)
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
