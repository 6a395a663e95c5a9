"""A service in process, on real Postgres and NATS, called over gRPC as clients call it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chassis import run
from chassis.auth import Caller, Signer
from chassis.clock import Clock, SystemClock
from chassis.settings import ServiceSettings


async def none_ended(_: Caller) -> bool:
    """For a service without sessions."""
    return False


@asynccontextmanager
async def served(
    name: str, settings: ServiceSettings, build: Callable[[run.Frame], run.Service], clock: Clock | None = None
) -> AsyncIterator[grpc.aio.Channel]:
    """The service, listening on a free port; yields a channel to it."""
    async with (
        run.running(name, settings, build, clock or SystemClock()) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield channel


def sign_in(
    keys_dir: Path, account_id: UUID, session_id: UUID, *roles: str, clock: Clock | None = None
) -> list[tuple[str, str]]:
    """Metadata of a call by an account with these roles in its token."""
    signer = Signer(keys_dir / "token.pem", "token-", clock or SystemClock())
    token, _ = signer.sign("diary-access", str(account_id), {"sid": str(session_id), "roles": list(roles)})
    return [("authorization", f"Bearer {token}")]


def sign_service(keys_dir: Path, service: str, clock: Clock | None = None) -> list[tuple[str, str]]:
    """Metadata of a call by another service."""
    signer = Signer(keys_dir / f"service-{service}.pem", f"service-{service}-", clock or SystemClock())
    token, _ = signer.sign(f"diary-{service}", service, {"roles": ["service"]})
    return [("authorization", f"Bearer {token}")]


async def refused(call: Any) -> tuple[grpc.StatusCode, str]:
    """Awaits a call that must fail; returns its status and reason."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return error.code(), reason(error)
    raise AssertionError(f"the call was not refused: {answer}")


async def refused_or_answered(call: Any) -> tuple[grpc.StatusCode, str]:
    """Awaits a call; returns its status and, when it failed, its reason."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code(), reason(error)
    return grpc.StatusCode.OK, ""


def reason(error: grpc.aio.AioRpcError) -> str:
    """ErrorInfo.reason of a failed call, empty when there is none."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # AioRpcError has what it reads
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info):
            return str(info.reason)
    return ""


def instant(text: str) -> datetime:
    """An instant in UTC from ISO 8601."""
    return datetime.fromisoformat(text).astimezone(UTC)
