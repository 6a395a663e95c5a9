"""What a client may not do to the gateway and through it: steer Envoy, fill its memory, escape its limits, misspell a field."""

import asyncio
import base64
import contextlib
import re
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio

from deploy.gateway import Limit
from deploy.gateway.limits import PUBLIC_WORK
from deploy.gateway.methods import Caller
from deploy.gateway.routes import UPLOADS
from diary.access.v1 import session_service_pb2, session_service_pb2_grpc
from tests.support.envoy import Gateway, running_gateway
from tests.support.eventually import eventually

_CREATE = "/diary.access.v1.SessionService/CreateSession"
_TEMPLATES = Path(__file__).parents[2] / "apps" / "portal"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ('{"login": "a", "pasword": "b"}', "pasword"),
        ('{"login": "a, {\\"pasword\\": [", "x": {"login": 1}}', "x"),
        ('{"login": "a\\\\", "y": 1}', "y"),
        ('{"log\\u0069n": "a"}', "log\\u0069n"),
        ("{" + '"login":' + "[" * 100 + "]" * 100 + "}", "a list stands where the request has none"),
        ('{"login": {"x": 1}}', "an object stands where the request has none"),
        ('{"login": "a", "login": "b"}', "the field stands twice: login"),
        ('{"login":' + " " * 1000 + '"a"}', "the body is not JSON"),
        # The transcoder reads these too.
        ('{"login": "a", \'pasword\': "b"}', "a name or text stands without its quotes"),
        ('{"login": "a", pasword: "b"}', "a name or text stands without its quotes"),
        ("{pasword: 1}", "a name or text stands without its quotes"),
        ("{'pasword': 1}", "a name or text stands without its quotes"),
    ],
)
async def test_unknown_field_of_a_body_is_refused_by_name(gateway: Gateway, body: str, name: str) -> None:
    before = len(gateway.upstream.calls)
    answer = await gateway.client.post("/v1/sessions", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"] == (name if " " in name else f"unknown field: {name}")
    assert answer.json()["details"][0]["reason"] == "REQUEST_INVALID"
    assert len(gateway.upstream.calls) == before


async def test_a_body_of_too_many_parts_is_not_walked(gateway: Gateway) -> None:
    """Where so many fit: whatever else a stranger may send is refused by its size before."""
    body = '{"code": "' + '\\"' * 40_000 + '"}'
    answer = await gateway.client.post("/v1/documents:verify", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["message"]) == (400, "the body has too many parts")
    answer = await gateway.client.post("/v1/sessions", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["details"][0]["reason"]) == (413, "REQUEST_TOO_LARGE")


@pytest.mark.parametrize(
    "body",
    [
        b'{"code":[' + b"," * 7_000_000 + b"]}",
        b'{"code":"' + b'\\"' * 3_000_000 + b'"}',
        b'{"code":' + b" " * 7_000_000 + b"1}",
    ],
)
async def test_a_long_body_of_nothing_is_refused_before_it_is_walked(gateway: Gateway, body: bytes) -> None:
    """It runs in Envoy's worker: eight megabytes of commas once stopped everybody for ten seconds."""
    answer = await gateway.client.post("/v1/documents:verify", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["message"] in (
        "a list stands where the request has none",
        "the body has too many parts",
        "the body is not JSON",
    )


async def test_a_class_of_cells_passes(gateway: Gateway) -> None:
    cell = {"markId": "m", "studentId": "s", "value": 5, "expectedRevision": 1}
    body = {"requestId": "r", "cells": [cell] * 500}
    answer = await gateway.client.post("/v1/schools/s/courses/c/marks:record", json=body, headers=gateway.bearer())
    assert answer.status_code == 503, answer.text  # The journal does not run here: it was asked.


async def test_known_fields_pass_by_both_names(gateway: Gateway) -> None:
    for name in ("requestId", "request_id"):
        answer = await gateway.client.post("/v1/schools/s1/grants/g1:revoke", json={name: "{r}"}, headers=gateway.bearer())
        assert answer.json()["details"][0]["reason"] == "GRANT_NOT_FOUND"
        assert gateway.upstream.last()[1].request_id == "{r}"


async def test_a_client_never_steers_envoy(gateway: Gateway) -> None:
    """Loopback is a private address, as a school's network is."""
    before = len(gateway.upstream.calls)
    steering = {
        "x-envoy-retry-on": "retriable-status-codes,5xx",
        "x-envoy-retriable-status-codes": "200",
        "x-envoy-max-retries": "5",
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-request-id": "of-the-client",
    }
    answer = await gateway.client.post("/v1/sessions", json={"login": "a", "password": "b"}, headers=steering)
    assert answer.status_code == 200
    assert answer.headers["x-request-id"] != "of-the-client"
    assert len(gateway.upstream.calls) == before + 1
    assert not [name for name in gateway.upstream.last()[2] if name in steering and name != "x-request-id"]


async def test_a_client_does_not_tell_the_gateway_what_it_asked(gateway: Gateway) -> None:
    """By x-envoy-original-path Envoy tells a transcoded request from gRPC, in refusals and in the log."""
    headers = {"content-type": "application/grpc", "x-envoy-original-path": "/v1/me"}
    answer = await gateway.client.post("/diary.access.v1.NoService/NoMethod", headers=headers)
    assert (answer.status_code, answer.headers.get("grpc-status")) == (200, "12"), answer.text
    # Envoy takes those it knows from strangers; what a later one adds is taken as well.
    headers = {"x-envoy-original-method": "DELETE", "x-envoy-of-a-later-release": "1"}
    await gateway.client.post("/v1/sessions", json={"login": "a", "password": "b"}, headers=headers)
    told = gateway.upstream.last()[2]
    assert told.get("x-envoy-original-method") != "DELETE"
    assert "x-envoy-of-a-later-release" not in told


async def test_scheme_of_the_token_has_no_case(gateway: Gateway) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        answer = await gateway.client.get("/v1/me", headers={"authorization": f"{scheme} {gateway.token()}"})
        assert answer.status_code == 200, scheme


async def test_services_and_portal_are_told_the_clients_address_whatever_the_client_says(gateway: Gateway) -> None:
    spoof = {"x-diary-client-address": "192.0.2.1", "x-forwarded-for": "192.0.2.2"}
    await gateway.client.get("/v1/me", headers=gateway.bearer() | spoof)
    assert gateway.upstream.last()[2]["x-diary-client-address"] == "127.0.0.1"
    page = await gateway.client.get("/week", headers=spoof)
    assert page.text == "portal /week for 127.0.0.1"


async def test_portal_says_who_its_client_is_at_its_own_door_only(gateway: Gateway) -> None:
    said = (("x-forwarded-for", "192.0.2.7"), ("x-diary-client-address", "192.0.2.8"))
    wanted = {gateway.settings.portal_port: "192.0.2.7", gateway.settings.port: "127.0.0.1"}
    for port, address in wanted.items():
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = session_service_pb2_grpc.SessionServiceStub(channel)
            await stub.CreateSession(session_service_pb2.CreateSessionRequest(login="a", password="b"), metadata=said)
        assert gateway.upstream.last()[2]["x-diary-client-address"] == address


async def test_portals_door_takes_no_service_and_no_page(gateway: Gateway) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway.settings.portal_port}") as client:
        for path in ("/", "/v1/me", "/diary.access.v1.RosterService/ListRoster"):
            assert (await client.get(path)).status_code == 404


async def test_body_that_never_comes_whole_reaches_no_service_and_one_too_large_is_refused_at_once(gateway: Gateway) -> None:
    before = len(gateway.upstream.calls)
    async with grpc.aio.insecure_channel(gateway.target) as channel:
        stub = session_service_pb2_grpc.SessionServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.CreateSession(session_service_pb2.CreateSessionRequest(login="x" * 100_000, password="b"))
    assert "REQUEST_TOO_LARGE" in str(refused.value.trailing_metadata())
    body = b"\x00" + struct.pack(">I", 7_900_000) + b"x" * 200_000
    for path, kind in (
        (_CREATE, "application/grpc-web+proto"),
        ("/v1/sessions", "application/json"),
        ("/sign-in", "text/plain"),
    ):
        answer = await _half_sent(gateway, path, kind, body + b"x" * 100_000)
        # gRPC-Web says it in its trailers.
        assert b" 413 " in answer or b"grpc-status:" in answer, path
    assert len(gateway.upstream.calls) == before


@pytest.mark.parametrize("body", [b"", b"\0\0\0", b"\0\0\0\0\x05", b"\0\0\0\0\x05abc", b"\0\0\0\0\0\0", b"\2\0\0\0\0"])
@pytest.mark.parametrize("kind", ["application/grpc-web+proto", "application/grpc"])
async def test_a_message_that_is_not_whole_is_refused_at_once_and_reaches_no_service(
    gateway: Gateway, kind: str, body: bytes
) -> None:
    before = len(gateway.upstream.calls)
    answer = await gateway.client.post(_CREATE, content=body, headers={"content-type": kind, "te": "trailers"}, timeout=5)
    # What is no frame has gRPC's own status for that, INTERNAL, which Envoy makes of a 400; the details say REQUEST_INVALID.
    assert (answer.headers["grpc-status"], answer.headers["grpc-message"]) == ("13", "the request is malformed")
    assert len(gateway.upstream.calls) == before


async def test_half_sent_files_of_strangers_do_not_fill_the_memory(tmp_path: Path) -> None:
    """Of sixty files of seven megabytes an address has a dozen in the gateway at once; the others are refused unread."""
    async with running_gateway(tmp_path) as gateway:
        before = gateway.resident_bytes()
        writers = await asyncio.gather(*(_begin_file(gateway) for _ in range(60)))

        async def answers() -> bool:
            try:
                return (await gateway.client.get("/week", timeout=1)).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(answers, why="pages are answered")
        assert gateway.resident_bytes() - before < 200 * 1024 * 1024
        for writer in writers:
            writer.close()


async def test_gateway_short_of_memory_takes_nothing_new(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, heap_bytes=1024 * 1024) as gateway:

        async def refuses() -> httpx.Response | None:
            answer = await gateway.client.get("/v1/me", headers=gateway.bearer())
            return answer if answer.status_code == 503 else None

        asked: Callable[[], Awaitable[httpx.Response | None]] = refuses
        answer = await eventually(asked, why="Envoy measures its memory ten times a second")
        assert answer.json()["details"][0]["reason"] == "SERVICE_UNAVAILABLE"


async def _begin_file(gateway: Gateway) -> asyncio.StreamWriter:
    """Sends all of a file but its end at some 2 MB/s, as far as the gateway takes it."""
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.settings.port)
    writer.write(b"POST /verify HTTP/1.1\r\nhost: diary\r\ncontent-length: 7900005\r\n\r\n")
    with contextlib.suppress(ConnectionError, TimeoutError):
        for _ in range(79):
            writer.write(b"x" * 100_000)
            await asyncio.wait_for(writer.drain(), 5)
            await asyncio.sleep(0.05)
    return writer


async def _half_sent(gateway: Gateway, path: str, kind: str, body: bytes) -> bytes:
    """The first line and headers of the answer to a body of which only the beginning comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.settings.port)
    head = f"POST {path} HTTP/1.1\r\nhost: diary\r\ncontent-type: {kind}\r\ncontent-length: 7900005\r\n\r\n"
    writer.write(head.encode() + body)
    try:
        return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    finally:
        writer.close()


async def test_limit_of_an_address_holds_whatever_the_content_type(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, client_limit=Limit(5, 1), sign_in_limit=Limit(3, 1)) as gateway:
        async with grpc.aio.insecure_channel(gateway.target) as channel:
            sessions = session_service_pb2_grpc.SessionServiceStub(channel)
            sign_in = session_service_pb2.CreateSessionRequest(login="a", password="b")
            codes = await asyncio.gather(*(_code(sessions.CreateSession(sign_in)) for _ in range(9)))
            assert codes.count(grpc.StatusCode.RESOURCE_EXHAUSTED) >= 5, codes
            me = session_service_pb2.GetCallerRequest()
            headers = tuple(gateway.bearer().items())
            codes = await asyncio.gather(*(_code(sessions.GetCaller(me, metadata=headers)) for _ in range(12)))
            assert codes.count(grpc.StatusCode.RESOURCE_EXHAUSTED) >= 6, codes
        web = {"content-type": "application/grpc-web+proto"}
        answers = [await gateway.client.post(_CREATE, content=b"\0\0\0\0\0", headers=web) for _ in range(6)]
        details = [base64.b64decode(a.headers.get("grpc-status-details-bin", "") + "==") for a in answers]
        assert any(b"RATE_LIMITED" in detail for detail in details)


async def test_every_method_that_takes_a_file_or_works_for_strangers_has_a_bucket(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, public_work_limit=Limit(1, 1), upload_limit=Limit(1, 1)) as gateway:
        methods = [m for m in gateway.settings.methods if m.caller is not Caller.SERVICE]
        costly = [m for m in methods if m.request_bytes >= 1024 * 1024 or m.full_name in PUBLIC_WORK]
        assert len(costly) >= 3
        headers = {"content-type": "application/grpc-web+proto", **gateway.bearer()}
        for method in costly:
            asked = (gateway.client.post(method.path, content=b"\0\0\0\0\0", headers=headers) for _ in range(4))
            details = [
                base64.b64decode(a.headers.get("grpc-status-details-bin", "") + "==") for a in await asyncio.gather(*asked)
            ]
            assert any(b"RATE_LIMITED" in detail for detail in details), method.full_name


async def test_each_client_of_the_portal_has_a_bucket_of_its_own(tmp_path: Path) -> None:
    async with (
        running_gateway(tmp_path, sign_in_limit=Limit(3, 1)) as gateway,
        grpc.aio.insecure_channel(f"127.0.0.1:{gateway.settings.portal_port}") as channel,
    ):
        sessions = session_service_pb2_grpc.SessionServiceStub(channel)
        sign_in = session_service_pb2.CreateSessionRequest(login="a", password="b")
        flood = (("x-forwarded-for", "192.0.2.7"),)
        codes = await asyncio.gather(*(_code(sessions.CreateSession(sign_in, metadata=flood)) for _ in range(9)))
        assert codes.count(grpc.StatusCode.RESOURCE_EXHAUSTED) >= 5, codes
        other = (("x-forwarded-for", "192.0.2.8"),)
        assert await _code(sessions.CreateSession(sign_in, metadata=other)) is grpc.StatusCode.OK


async def _code(call: "grpc.aio.UnaryUnaryCall[Any, Any]") -> grpc.StatusCode:
    return await call.code()


def test_pages_that_send_files_are_the_ones_that_may() -> None:
    """The gateway knows them by their paths."""
    for template in _TEMPLATES.rglob("*.html"):
        for action in re.findall(r'action="([^"]*)" enctype="multipart/form-data"', template.read_text()):
            path = action.replace("{{ url }}", f"/schools/0190-id/{template.stem}")
            assert re.fullmatch(UPLOADS, path), f"{template.name} sends a file to {action}"
