"""What of a client's headers goes on: what is named. A value that gRPC cannot read stays in the tables of the connection that
all share, and breaks the calls of others behind it.
"""

import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import httpx
import pytest
import pytest_asyncio
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from deploy.gateway.headers import KEPT
from deploy.gateway.routes import CLIENT_ADDRESS
from diary.access.v1 import session_service_pb2, session_service_pb2_grpc
from tests.support.envoy import Gateway, running_gateway

_GET_CALLER = "/diary.access.v1.SessionService/GetCaller"
_JSON = "application/json"
_UNREADABLE = {
    "grpc-timeout": ["", "x", "1", "1.5S", "-1S", "123456789m", "1m,1m", "\xff"],
    "grpc-encoding": ["", "x", "gzip", "deflate", "identity,gzip", "\xff"],
}
_TAKEN_OFF = {
    "te": ["", "gzip", "\xff"],
    "grpc-accept-encoding": ["x", "", "\xff"],
    "grpc-previous-rpc-attempts": ["x", "99999999999999999"],
    "grpc-retry-pushback-ms": ["x"],
    "grpc-internal-encoding-request": ["x"],
    "grpc-status": ["x"],
    "grpc-trace-bin": ["!!!"],
    "lb-cost-bin": ["!"],
    "endpoint-load-metrics-bin": ["!!"],
    "a-bin": ["a", "\xff"],
    "a": ["\xff"],
    "upgrade": ["websocket", "h2c"],
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


async def ask(gateway: Gateway, kind: str, headers: dict[str, str]) -> httpx.Response:
    """Asks who the caller is, as JSON, gRPC or gRPC-Web; the headers win over those that are needed."""
    needed = {**gateway.bearer(), **({} if kind == _JSON else {"content-type": kind, "te": "trailers"})}
    sent = [(name.encode(), value.encode("latin-1")) for name, value in {**needed, **headers}.items()]
    if kind == _JSON:
        return await gateway.client.get("/v1/me", headers=sent)
    return await gateway.client.post(_GET_CALLER, content=bytes(5), headers=sent)


def is_answered(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and answer.headers.get("grpc-status", "0") == "0" and b"a1" in answer.content


async def well_formed_calls_pass(gateway: Gateway) -> bool:
    """Whether others' calls are answered that use the headers in question as they should."""
    async with grpc.aio.insecure_channel(gateway.target) as channel:
        stub = session_service_pb2_grpc.SessionServiceStub(channel)
        request = session_service_pb2.GetCallerRequest()
        answers = [await stub.GetCaller(request, metadata=tuple(gateway.bearer().items()), timeout=10) for _ in range(3)]
    return [answer.account_id for answer in answers] == ["a1"] * 3


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in _UNREADABLE for value in _UNREADABLE[name]])
async def test_what_grpc_cannot_read_is_refused_by_name_and_breaks_no_other_call(
    gateway: Gateway, name: str, value: str
) -> None:
    assert is_answered(await ask(gateway, _JSON, {name: value}))
    for kind in ("application/grpc", "application/grpc-web+proto"):
        before = len(gateway.upstream.calls)
        answer = await ask(gateway, kind, {name: value})
        status = Status.FromString(base64.b64decode(answer.headers["grpc-status-details-bin"] + "=="))
        info = ErrorInfo()
        assert status.details[0].Unpack(info)
        assert (info.reason, info.domain) == ("REQUEST_INVALID", "gateway.diary")
        assert name in status.message
        assert answer.headers["grpc-message"] == status.message
        assert len(gateway.upstream.calls) == before
    assert await well_formed_calls_pass(gateway)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in _TAKEN_OFF for value in _TAKEN_OFF[name]])
async def test_header_that_is_not_named_is_taken_off_and_breaks_no_call(gateway: Gateway, name: str, value: str) -> None:
    for kind in (_JSON, "application/grpc", "application/grpc-web+proto"):
        assert is_answered(await ask(gateway, kind, {name: value})), kind
        assert gateway.upstream.last()[2].get(name, "trailers") != value
    assert await well_formed_calls_pass(gateway)


@pytest.mark.parametrize("name", sorted(set(KEPT) - {"connection", "content-length", "expect", "host", "transfer-encoding"}))
async def test_header_that_is_kept_may_have_any_value(gateway: Gateway, name: str) -> None:
    """It reaches the service as it is; one that none can read is refused by Envoy itself."""
    for value in ("", "\xff", "x" * 500, "%", '"', "a,b;c"):
        for kind in (_JSON, "application/grpc", "application/grpc-web+proto"):
            answer = await ask(gateway, kind, {name: value})
            assert answer.status_code < 500, (kind, value)
            assert answer.headers.get("grpc-status", "0") in ("0", "12", "13", "16"), (kind, value)
            assert "parsing" not in answer.headers.get("grpc-message", "") + answer.text, (kind, value)
    assert await well_formed_calls_pass(gateway)


async def test_service_is_told_no_more_than_is_named(gateway: Gateway) -> None:
    sent = {"x-school": "1", "x-forwarded-host": "a", "forwarded": "for=a", "x": "1", "grpc": "1", "sec": "1", "cookies": "1"}
    for kind in (_JSON, "application/grpc"):
        assert is_answered(await ask(gateway, kind, sent))
        assert not sent.keys() & gateway.upstream.last()[2].keys()


def test_headers_that_pages_read_are_named() -> None:
    pages = Path(__file__).parents[2] / "apps" / "portal"
    read = {name for path in pages.rglob("*.py") for name in re.findall(r'headers\.get\("([^"]+)"', path.read_text())}
    assert {"sec-fetch-site", "referer"} <= read
    assert read - set(KEPT) == {CLIENT_ADDRESS}


async def test_path_of_json_is_no_grpc_whatever_its_content_type(gateway: Gateway) -> None:
    for kind in ("application/grpc", "application/grpc+proto", "application/grpc-web"):
        answer = await gateway.client.get("/v1/me", headers={**gateway.bearer(), "content-type": kind})
        assert (answer.status_code, answer.headers.get("grpc-status")) == (404 if "web" in kind else 200, "12"), kind


async def test_compressed_message_is_refused(gateway: Gateway) -> None:
    headers = {**gateway.bearer(), "content-type": "application/grpc", "te": "trailers"}
    answer = await gateway.client.post(_GET_CALLER, content=b"\1\0\0\0\0", headers=headers)
    assert (answer.headers["grpc-status"], answer.headers["grpc-message"]) == ("13", "the request is malformed")


async def test_headers_below_the_limit_pass_and_above_it_are_refused_as_too_large(gateway: Gateway) -> None:
    """A service refuses between its two limits by chance: neither is reached."""
    for length in (4_000, 7_600, 9_000, 12_000, 15_000):
        for _ in range(4):
            assert is_answered(await ask(gateway, _JSON, {"cookie": "x" * length})), length
            assert is_answered(await ask(gateway, "application/grpc", {"cookie": "x" * length})), length
    for length in (17_000, 40_000):
        answer = await ask(gateway, _JSON, {"cookie": "x" * length})
        assert (answer.status_code, answer.json()["details"][0]["reason"]) == (431, "HEADERS_TOO_LARGE")


async def test_access_log_has_a_status_of_grpc_for_grpc_alone(gateway: Gateway) -> None:
    malformed = await gateway.client.post("/v1/sessions", content="{", headers={"content-type": _JSON})
    unnamed = await gateway.client.post("/v1/sessions", json={"x": 1})
    page = await gateway.client.get("/week")
    for answer, status in ((malformed, 400), (unnamed, 400), (page, 200)):
        line = await gateway.log_line(answer.headers["x-request-id"])
        assert (line["status"], "grpc_status" in line) == (status, False)
    for headers, code in (({}, "OK"), ({"authorization": "Bearer x"}, "UNAUTHENTICATED"), ({"grpc-timeout": "x"}, "INTERNAL")):
        answer = await ask(gateway, "application/grpc", headers)
        line = await gateway.log_line(answer.headers["x-request-id"])
        assert (line["status"], line["grpc_status"]) == (200, code)
