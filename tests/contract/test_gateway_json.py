"""The JSON surface through a real Envoy: transcoding, tokens, the shape of every refusal."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.gateway import Limit
from deploy.keys import make_keys
from tests.support.envoy import LARGE_SCHOOL, WORDY_SCHOOL, Gateway, envoy, running_gateway, settings

ORIGIN = "https://family.example"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway"), allow_origins=(ORIGIN,)) as running:
        yield running


def assert_refused(answer: httpx.Response, status: int, code: int, reason: str) -> dict[str, Any]:
    """Returns the body of a refusal shaped as google.rpc.Status by the gateway."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    assert set(body) == {"code", "message", "details"}
    assert body["code"] == code
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "gateway.diary"}
    assert body["details"] == [info]
    return body


def test_envoy_accepts_the_bootstrap_without_a_warning(tmp_path: Path) -> None:
    make_keys(tmp_path)
    command = envoy(tmp_path, settings(tmp_path), "--mode", "validate", "--log-level", "warning")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[warning]" not in done.stderr


async def test_get_is_transcoded_with_the_token_passed_on(gateway: Gateway) -> None:
    answer = await gateway.client.get("/v1/me", headers=gateway.bearer())
    assert answer.status_code == 200, answer.text
    # lowerCamelCase, enums by name, unset fields left out.
    place = {"schoolId": "s1", "displayName": "Иванова Мария", "roles": ["ROLE_GUARDIAN"]}
    assert answer.json() == {"accountId": "a1", "schools": [place]}
    name, _, metadata = gateway.upstream.last()
    assert (name, metadata["authorization"]) == ("GetCaller", gateway.bearer()["authorization"])


async def test_post_body_and_path_become_the_request(gateway: Gateway) -> None:
    body = {"requestId": "r1"}
    await gateway.client.post("/v1/schools/s1/grants/g1:revoke", json=body, headers=gateway.bearer())
    name, request, _ = gateway.upstream.last()
    assert (name, request.school_id, request.grant_id, request.request_id) == ("RevokeGrant", "s1", "g1", "r1")


async def test_body_never_wins_over_the_path(gateway: Gateway) -> None:
    path = "/v1/schools/s1/grants/g1:revoke"
    await gateway.client.post(path, json={"schoolId": "s2", "grantId": "g2"}, headers=gateway.bearer())
    _, request, _ = gateway.upstream.last()
    assert (request.school_id, request.grant_id) == ("s1", "g1")
    assert_refused(
        await gateway.client.post(path, json={"school_id": "s2"}, headers=gateway.bearer()), 400, 3, "REQUEST_INVALID"
    )


async def test_query_never_wins_over_the_path(gateway: Gateway) -> None:
    before = len(gateway.upstream.calls)
    for query in ("schoolId=s2", "school_id=s2", "studentId=x&schoolId=s2"):
        answer = await gateway.client.get(f"/v1/schools/s1/grants?{query}", headers=gateway.bearer())
        assert_refused(answer, 404, 5, "METHOD_NOT_FOUND")
    for query in ("school%5Fid=s2", "pageSize=3&school%49d=s2"):
        answer = await gateway.client.get(f"/v1/schools/s1/grants?{query}", headers=gateway.bearer())
        assert_refused(answer, 400, 3, "REQUEST_INVALID")
    assert len(gateway.upstream.calls) == before
    answer = await gateway.client.get("/v1/schools/s1/grants?pageToken=a%3D%26b", headers=gateway.bearer())
    assert answer.status_code == 200


async def test_refusal_of_a_service_keeps_its_details(gateway: Gateway) -> None:
    answer = await gateway.client.post("/v1/schools/s1/grants/g1:revoke", json={}, headers=gateway.bearer())
    assert answer.status_code == 404
    assert answer.json() == {
        "code": 5,
        "message": "GRANT_NOT_FOUND",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "GRANT_NOT_FOUND",
                "domain": "access.diary",
                "metadata": {"grant_id": "g1"},
            }
        ],
    }


async def test_large_answer_fits(gateway: Gateway) -> None:
    answer = await gateway.client.get(f"/v1/schools/{LARGE_SCHOOL}/grants", headers=gateway.bearer())
    assert answer.status_code == 200
    assert len(answer.json()["grants"]) == 70


async def test_call_without_a_token_is_refused(gateway: Gateway) -> None:
    assert_refused(await gateway.client.get("/v1/me"), 401, 16, "TOKEN_MISSING")


async def test_forged_expired_and_foreign_tokens_are_refused(gateway: Gateway) -> None:
    claims = {"iss": "diary-access", "aud": "diary", "sub": "a1", "exp": 4_000_000_000}
    kid = jwt.get_unverified_header(gateway.token())["kid"]
    forged = jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA", headers={"kid": kid})
    unsigned = jwt.encode(claims, "", "none")
    for token in (
        "rubbish",
        forged,
        unsigned,
        gateway.token(exp=1_700_000_000),
        gateway.token(aud="other"),
        gateway.token(iss="diary-journal"),
    ):
        answer = await gateway.client.get("/v1/me", headers={"authorization": f"Bearer {token}"})
        assert_refused(answer, 401, 16, "TOKEN_INVALID")
    assert_refused(await gateway.client.get(f"/v1/me?access_token={gateway.token()}"), 401, 16, "TOKEN_MISSING")


async def test_bad_token_does_not_block_sign_in(gateway: Gateway) -> None:
    headers = {"authorization": "Bearer rubbish", "cookie": "session=old"}
    answer = await gateway.client.post("/v1/sessions", json={"login": "мария", "password": "p"}, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["tokens"]["sessionId"] == "мария"


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/v1/nothing"),
        ("DELETE", "/v1/me"),
        ("GET", "/v1/me/"),
        ("GET", "/v1/schools/s1/grants/"),
        ("POST", "/diary.access.v1.RosterService/ListRoster"),
        ("POST", "/diary.access.v1.SessionService/GetCaller"),
        ("GET", "/v1/diary.access.v1.RosterService/ListRoster"),
    ],
)
async def test_path_that_is_no_method_never_reaches_a_service(gateway: Gateway, verb: str, path: str) -> None:
    before = len(gateway.upstream.calls)
    for headers in ({}, gateway.bearer()):
        answer = await gateway.client.request(verb, path, headers=headers)
        assert_refused(answer, 404, 5, "METHOD_NOT_FOUND")
    assert len(gateway.upstream.calls) == before


async def test_escaped_slash_is_refused(gateway: Gateway) -> None:
    answer = await gateway.client.get("/v1/schools/a%2Fb/grants", headers=gateway.bearer())
    assert_refused(answer, 400, 3, "REQUEST_INVALID")


async def test_unknown_query_parameter_is_refused_by_name(gateway: Gateway) -> None:
    answer = await gateway.client.get("/v1/schools/s1/grants?colour=red", headers=gateway.bearer())
    assert "colour" in assert_refused(answer, 400, 3, "REQUEST_INVALID")["message"]
    answer = await gateway.client.get("/v1/schools/s1/grants?studentId=x&pageSize=3", headers=gateway.bearer())
    assert answer.status_code == 200


async def test_malformed_body_is_refused(gateway: Gateway) -> None:
    for text in ("{", '{"login": 5', '{"login": {"a": 1}}', "[]"):
        answer = await gateway.client.post("/v1/sessions", content=text, headers={"content-type": "application/json"})
        assert_refused(answer, 400, 3, "REQUEST_INVALID")


async def test_body_over_what_the_method_takes_is_refused(gateway: Gateway) -> None:
    body = {"login": "x" * (200 * 1024)}
    assert_refused(await gateway.client.post("/v1/sessions", json=body), 413, 3, "REQUEST_TOO_LARGE")


async def test_preflight_of_a_known_origin_is_answered(gateway: Gateway) -> None:
    asks = {
        "origin": ORIGIN,
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization",
    }
    for path in ("/v1/me", "/diary.access.v1.SessionService/GetCaller"):
        answer = await gateway.client.options(path, headers=asks)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "authorization" in answer.headers["access-control-allow-headers"]


async def test_preflight_of_a_foreign_origin_is_not_answered(gateway: Gateway) -> None:
    asks = {"origin": "https://evil.example", "access-control-request-method": "GET"}
    for path in ("/v1/me", "/diary.access.v1.SessionService/GetCaller"):
        answer = await gateway.client.options(path, headers=asks)
        assert_refused(answer, 404, 5, "METHOD_NOT_FOUND")
        assert "access-control-allow-origin" not in answer.headers


async def test_refusal_can_be_read_by_a_page_of_a_known_origin(gateway: Gateway) -> None:
    answer = await gateway.client.get("/v1/me", headers={"origin": ORIGIN})
    assert_refused(answer, 401, 16, "TOKEN_MISSING")
    assert answer.headers["access-control-allow-origin"] == ORIGIN


async def test_everything_else_is_the_portals(gateway: Gateway) -> None:
    for path in ("/", "/diary/week?week=2026-W37", "/v1", "/v11/x"):
        answer = await gateway.client.get(path)
        assert (answer.status_code, answer.text) == (200, f"portal {path} for 127.0.0.1")


async def test_access_log_names_the_rpc_and_no_query(gateway: Gateway) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = await gateway.client.get(
        "/v1/schools/s1/grants?studentId=secret", headers={**gateway.bearer(), "traceparent": trace}
    )
    request_id = answer.headers["x-request-id"]
    line = await gateway.log_line(request_id)
    assert line["method"] == "GET"
    assert line["path"] == "/v1/schools/s1/grants"
    assert line["route"] == "diary.access.v1.GrantService.ListGrants"
    assert line["status"] == 200
    assert line["bytes_out"] == len(answer.content)
    assert line["milliseconds"] >= 0
    assert line["traceparent"] == trace
    assert "secret" not in gateway.log.read_text()
    _, _, metadata = gateway.upstream.last()
    assert (metadata["x-request-id"], metadata["traceparent"]) == (request_id, trace)


async def test_client_cannot_write_the_access_log(gateway: Gateway) -> None:
    headers = {"x-envoy-original-path": "/other", "x-envoy-original-method": "OTHER"}
    for path in ("/", "/v1/me"):
        answer = await gateway.client.get(path, headers=headers)
        line = await gateway.log_line(answer.headers["x-request-id"])
        assert (line["method"], line["path"]) == ("GET", path)


async def test_admin_shows_readiness_and_metrics_only(gateway: Gateway) -> None:
    admin = f"http://127.0.0.1:{gateway.settings.admin_port}"
    for path, status in {"/ready": 200, "/stats/prometheus": 200, "/config_dump": 403, "/quitquitquit": 403}.items():
        answer = await (gateway.client.post if path == "/quitquitquit" else gateway.client.get)(admin + path)
        assert answer.status_code == status, path


async def test_requests_past_the_limit_are_refused_and_sign_in_sooner(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, client_limit=Limit(8, 1), sign_in_limit=Limit(2, 1)) as gateway:
        signed_in = [await gateway.client.post("/v1/sessions", json={"login": "x"}) for _ in range(4)]
        assert [answer.status_code for answer in signed_in[:2]] == [200, 200]
        assert_refused(signed_in[3], 429, 8, "RATE_LIMITED")
        assert signed_in[3].headers["retry-after"] == "1"
        pages = [await gateway.client.get("/") for _ in range(12)]
        assert pages[0].status_code == 200
        assert pages[11].status_code == 429
        assert "Слишком много запросов" in pages[11].text


async def test_an_answer_is_packed_for_who_reads_that(gateway: Gateway) -> None:
    path = f"/v1/schools/{WORDY_SCHOOL}/grants"
    sizes = {}
    for coding in ("gzip", "identity"):
        headers = gateway.bearer() | {"accept-encoding": coding}
        async with gateway.client.stream("GET", path, headers=headers) as answer:
            sizes[coding] = sum([len(chunk) async for chunk in answer.aiter_raw()])
        assert answer.headers.get("content-encoding", "identity") == coding
        assert "accept-encoding" in answer.headers["vary"].lower()
    assert sizes["identity"] > 5_000 > 500 > sizes["gzip"]
    short = await gateway.client.get("/v1/schools/s1/grants", headers=gateway.bearer() | {"accept-encoding": "gzip"})
    assert "content-encoding" not in short.headers
