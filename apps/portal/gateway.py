"""Calls to the gateway: one channel, the caller's token, a deadline, and what a refusal says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

import grpc
from google.rpc import error_details_pb2, status_pb2

from chassis import calls
from diary.access.v1 import (
    application_service_pb2_grpc,
    compliance_service_pb2_grpc,
    credential_service_pb2_grpc,
    grant_service_pb2_grpc,
    paper_service_pb2_grpc,
    roster_import_service_pb2_grpc,
    roster_service_pb2_grpc,
    school_service_pb2_grpc,
    session_service_pb2_grpc,
)
from diary.documents.v1 import document_service_pb2_grpc
from diary.journal.v1 import diary_service_pb2_grpc, journal_service_pb2_grpc
from diary.notify.v1 import preference_service_pb2_grpc

if TYPE_CHECKING:
    from diary.access.v1.application_service_pb2_grpc import ApplicationServiceAsyncStub
    from diary.access.v1.compliance_service_pb2_grpc import ComplianceServiceAsyncStub
    from diary.access.v1.credential_service_pb2_grpc import CredentialServiceAsyncStub
    from diary.access.v1.grant_service_pb2_grpc import GrantServiceAsyncStub
    from diary.access.v1.paper_service_pb2_grpc import PaperServiceAsyncStub
    from diary.access.v1.roster_import_service_pb2_grpc import RosterImportServiceAsyncStub
    from diary.access.v1.roster_service_pb2_grpc import RosterServiceAsyncStub
    from diary.access.v1.school_service_pb2_grpc import SchoolServiceAsyncStub
    from diary.access.v1.session_service_pb2_grpc import SessionServiceAsyncStub
    from diary.documents.v1.document_service_pb2_grpc import DocumentServiceAsyncStub
    from diary.journal.v1.diary_service_pb2_grpc import DiaryServiceAsyncStub
    from diary.journal.v1.journal_service_pb2_grpc import JournalServiceAsyncStub
    from diary.notify.v1.preference_service_pb2_grpc import PreferenceServiceAsyncStub

Request = TypeVar("Request")
Answer = TypeVar("Answer")

# Of the browser whose request is answered: told to the gateway, which counts its limits by it.
client_address: ContextVar[str] = ContextVar("client_address", default="")

_SECONDS = 5.0
_SESSIONS = "diary.access.v1.SessionService"
# Writes carry a request_id and may be sent again. Signing in, refreshing and activating may not: a lost answer would leave a
# second session, or use up the refresh token or the first credentials.
_CONFIG = {
    "methodConfig": [
        {
            "name": [
                {"service": _SESSIONS, "method": "CreateSession"},
                {"service": _SESSIONS, "method": "RefreshSession"},
                {"service": "diary.access.v1.CredentialService", "method": "ActivateAccount"},
            ]
        },
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
    """A refused call: the status, the reason (empty when the answer has none) with its metadata, and the fields amiss."""

    def __init__(
        self,
        code: grpc.StatusCode,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        fields: Sequence[str] = (),
    ) -> None:
        super().__init__(f"{code.name} {reason}")
        self.code = code
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.fields = tuple(fields)


class Gateway:
    """The services behind the gateway, by the stubs generated from their protos."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
        self.sessions: SessionServiceAsyncStub = session_service_pb2_grpc.SessionServiceStub(self._channel)
        self.diary: DiaryServiceAsyncStub = diary_service_pb2_grpc.DiaryServiceStub(self._channel)
        self.applications: ApplicationServiceAsyncStub = application_service_pb2_grpc.ApplicationServiceStub(self._channel)
        self.compliance: ComplianceServiceAsyncStub = compliance_service_pb2_grpc.ComplianceServiceStub(self._channel)
        self.credentials: CredentialServiceAsyncStub = credential_service_pb2_grpc.CredentialServiceStub(self._channel)
        self.roster: RosterServiceAsyncStub = roster_service_pb2_grpc.RosterServiceStub(self._channel)
        self.imports: RosterImportServiceAsyncStub = roster_import_service_pb2_grpc.RosterImportServiceStub(self._channel)
        self.grants: GrantServiceAsyncStub = grant_service_pb2_grpc.GrantServiceStub(self._channel)
        self.papers: PaperServiceAsyncStub = paper_service_pb2_grpc.PaperServiceStub(self._channel)
        self.schools: SchoolServiceAsyncStub = school_service_pb2_grpc.SchoolServiceStub(self._channel)
        self.preferences: PreferenceServiceAsyncStub = preference_service_pb2_grpc.PreferenceServiceStub(self._channel)
        self.documents: DocumentServiceAsyncStub = document_service_pb2_grpc.DocumentServiceStub(self._channel)
        self.journal: JournalServiceAsyncStub = journal_service_pb2_grpc.JournalServiceStub(self._channel)

    async def close(self) -> None:
        """Lets the calls under way end, then closes the channel."""
        await self._channel.close(grace=_SECONDS)


async def call(
    method: grpc.aio.UnaryUnaryMultiCallable[Request, Answer], request: Request, token: str = "", seconds: float = _SECONDS
) -> Answer:
    """Calls a method with an access token (none for public methods). Raises GatewayError."""
    metadata = grpc.aio.Metadata(*calls.headers())
    if token:
        metadata.add("authorization", f"Bearer {token}")
    if address := client_address.get():
        metadata.add("x-forwarded-for", address)
    try:
        return await method(request, timeout=seconds, metadata=metadata)
    except grpc.aio.AioRpcError as error:
        raise _read_error(error) from error


def _read_error(error: grpc.aio.AioRpcError) -> GatewayError:
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                # Each takes what is of its own type.
                _ = detail.Unpack(info) or detail.Unpack(bad)
    fields = [violation.field for violation in bad.field_violations]
    return GatewayError(error.code(), info.reason, dict(info.metadata), fields)
