"""Calls to the gateway: one channel, the caller's token, a deadline, and what a refusal says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

import grpc
from google.rpc import error_details_pb2, status_pb2

from diary.access.v1 import session_service_pb2_grpc
from diary.journal.v1 import diary_service_pb2_grpc, journal_service_pb2_grpc

if TYPE_CHECKING:
    from diary.access.v1.session_service_pb2_grpc import SessionServiceAsyncStub
    from diary.journal.v1.diary_service_pb2_grpc import DiaryServiceAsyncStub
    from diary.journal.v1.journal_service_pb2_grpc import JournalServiceAsyncStub

Request = TypeVar("Request")
Answer = TypeVar("Answer")

_SECONDS = 5.0
_SESSIONS = "diary.access.v1.SessionService"
# Writes carry a request_id and may be sent again. Signing in and refreshing may not: a lost answer would leave a second
# session, or use up the refresh token.
_CONFIG = {
    "methodConfig": [
        {"name": [{"service": _SESSIONS, "method": "CreateSession"}, {"service": _SESSIONS, "method": "RefreshSession"}]},
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 3,
                "initialBackoff": "0.1s",
                "maxBackoff": "1s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        },
    ]
}
_OPTIONS = [
    ("grpc.service_config", json.dumps(_CONFIG)),
    ("grpc.max_receive_message_length", 8 * 1024 * 1024),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]


class GatewayError(Exception):
    """A refused call: the status, the reason (empty when the answer has none) and its metadata."""

    def __init__(self, code: grpc.StatusCode, reason: str = "", metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code.name} {reason}")
        self.code = code
        self.reason = reason
        self.metadata = dict(metadata or {})


class Gateway:
    """The services behind the gateway, by the stubs generated from their protos."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
        self.sessions: SessionServiceAsyncStub = session_service_pb2_grpc.SessionServiceStub(self._channel)
        self.diary: DiaryServiceAsyncStub = diary_service_pb2_grpc.DiaryServiceStub(self._channel)
        self.journal: JournalServiceAsyncStub = journal_service_pb2_grpc.JournalServiceStub(self._channel)

    async def close(self) -> None:
        """Lets the calls under way end, then closes the channel."""
        await self._channel.close(grace=_SECONDS)


async def call(method: grpc.aio.UnaryUnaryMultiCallable[Request, Answer], request: Request, token: str = "") -> Answer:
    """Calls a method with an access token (none for public methods). Raises GatewayError."""
    metadata = grpc.aio.Metadata(("authorization", f"Bearer {token}")) if token else None
    try:
        return await method(request, timeout=_SECONDS, metadata=metadata)
    except grpc.aio.AioRpcError as error:
        raise _read_error(error) from error


def _read_error(error: grpc.aio.AioRpcError) -> GatewayError:
    info = error_details_pb2.ErrorInfo()
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                if detail.Unpack(info):
                    return GatewayError(error.code(), info.reason, dict(info.metadata))
    return GatewayError(error.code())
