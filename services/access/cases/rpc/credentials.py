"""First credentials: slips, activation, redeeming at the moment of sending (Clauses R25, R26).

A secret lives in memory and as a digest.
"""

from __future__ import annotations

import secrets
from uuid import UUID

import grpc
from google.api import httpbody_pb2

from chassis import auth, requests
from chassis.db import Connection
from chassis.errors import Aborted, AlreadyExists, FieldViolation, InvalidArgument, NotFound, Unauthenticated, Unavailable
from chassis.interceptors import Context
from chassis.run import Frame
from diary.access.v1 import credential_service_pb2 as pb
from diary.access.v1 import credential_service_pb2_grpc
from diary.documents.v1 import document_service_pb2, document_service_pb2_grpc
from services.access.cases.rules import applications
from services.access.cases.store import applications as cases
from services.access.cases.store import case_log
from services.access.rights.actions.passwords import Lane, Passwords, read_common_passwords
from services.access.rights.actions.sign_in import Sessions, SignInAttempts, digest
from services.access.rights.convert import credentials as convert
from services.access.rights.rpc.addresses import client_address
from services.access.rights.rules import credentials
from services.access.rights.rules.credentials import FIRST_CREDENTIALS_TIME, SlipGrant, normalise_one_time_password
from services.access.rights.rules.grants import GRANTING
from services.access.rights.rules.sign_in import Outcome, read_login
from services.access.rights.rules.standing import require_session
from services.access.rights.store import credentials as store
from services.access.rights.store import relations
from services.access.rights.store.credentials import FirstCredentials
from services.access.rights.store.sessions import Session

_RENDER_SECONDS = 10
_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class CredentialServicer(credential_service_pb2_grpc.CredentialServiceServicer):
    """CredentialService. `link` is the page of first sign-in."""

    def __init__(
        self,
        frame: Frame,
        sessions: Sessions,
        attempts: SignInAttempts,
        passwords: Passwords,
        documents: document_service_pb2_grpc.DocumentServiceAsyncStub,
        link: str,
    ) -> None:
        self._database = frame.database
        self._clock = frame.clock
        self._sessions = sessions
        self._attempts = attempts
        self._passwords = passwords
        self._documents = documents
        self._link = link
        self._common_passwords = read_common_passwords()

    async def IssueSlip(self, request: pb.IssueSlipRequest, context: Context) -> httpbody_pb2.HttpBody:
        """Prints a slip with a new one-time password; the old one is void from then on (Clause R25).

        The slip is printed before anything is written: when documents does not answer, the old one-time password stays valid
        and the request may be repeated as it is. Once written, a repeat is refused.
        """
        school_id, now = UUID(request.school_id), self._clock.now()
        async with self._database.school(school_id) as connection:
            grant = await self._open(connection, request)
        letters = [secrets.choice(credentials.ALPHABET) for _ in range(credentials.ONE_TIME_PASSWORD_LENGTH)]
        password, expire_time = credentials.write_one_time_password(letters), now + FIRST_CREDENTIALS_TIME
        issue_number = grant.slip_count + 1
        pdf = await self._render(convert.slip(grant, self._link, password, expire_time, issue_number))
        password_hash = await self._passwords.hash(Lane.OFFICE, normalise_one_time_password(password))
        async with self._database.school(school_id) as connection, connection.transaction():
            grant = await self._open(connection, request)
            if not await store.take_issue(connection, grant.account_id, issue_number):
                raise Aborted("REQUEST_IN_PROGRESS", "another slip of this account is being issued; look at the case again")
            await store.replace_one_time_password(connection, grant.account_id, issue_number, password_hash, now, expire_time)
            await self._note(connection, school_id, grant, issue_number)
            kept = httpbody_pb2.HttpBody()
            await requests.keep_answer(connection, auth.caller().account_id, request, kept, now)
        return httpbody_pb2.HttpBody(content_type="application/pdf", data=pdf)

    async def ActivateAccount(self, request: pb.ActivateAccountRequest, context: Context) -> pb.ActivateAccountResponse:
        """Sets the own password and signs in; all first credentials of the account are void from then on."""
        address = client_address(context)
        found = await self._prove(request, address)
        credentials.check_new_password(request.new_password, found.login, request.one_time_password, self._common_passwords)
        password_hash = await self._passwords.hash(Lane.FIRST_SIGN_IN, request.new_password)
        token_digest = digest(request.activation_token)
        async with self._database.region() as connection, connection.transaction():
            if not await store.activate(connection, found, token_digest, password_hash, self._clock.now()):
                raise _invalid()
            begun = await self._sessions.begin(connection, found.account_id, found.login, address)
        session_id, refresh_token, expire_time = begun
        session = Session(session_id, found.account_id, found.is_operator)
        tokens = await self._sessions.sign(session, refresh_token, expire_time)
        return pb.ActivateAccountResponse(tokens=tokens, login=found.login)

    async def RedeemDelivery(self, request: pb.RedeemDeliveryRequest, context: Context) -> pb.RedeemDeliveryResponse:
        """Mints an activation token for the letter that notify is about to send (Clause R26)."""
        school_id, now, token = UUID(request.school_id), self._clock.now(), secrets.token_urlsafe(32)
        expire_time = now + FIRST_CREDENTIALS_TIME
        async with self._database.school(school_id) as connection, connection.transaction():
            grant = await store.lock_delivery_grant(connection, school_id, UUID(request.grant_id))
            if grant is None:
                raise NotFound("GRANT_NOT_FOUND", "no such grant")
            credentials.require_wanted(grant.is_open and bool(grant.email), grant.is_activated)
            most = credentials.LIVE_TOKENS
            await store.insert_token(connection, grant.account_id, digest(token), now, expire_time, most)
        return convert.delivery(grant, token, expire_time)

    async def _open(self, connection: Connection, request: pb.IssueSlipRequest) -> SlipGrant:
        """The grant whose slip the caller may print now. Raises AlreadyExists SLIP_ALREADY_ISSUED at a repeat."""
        school_id, who, now = UUID(request.school_id), auth.caller(), self._clock.now()
        require_session((await relations.get_scene(connection, school_id, who, now)).standing)
        found = await store.find_slip_grant(connection, school_id, UUID(request.grant_id), who.account_id, now)
        grant = credentials.require_slip_grant(found, GRANTING)
        if await requests.find_answer(connection, who.account_id, request, httpbody_pb2.HttpBody) is not None:
            raise AlreadyExists(
                "SLIP_ALREADY_ISSUED", "a slip was printed for this request; make a new one with a new request_id"
            )
        return grant

    async def _render(self, request: document_service_pb2.RenderSlipRequest) -> bytes:
        """The PDF. Raises Unavailable DOCUMENTS_UNAVAILABLE."""
        try:
            return (await self._documents.RenderSlip(request, timeout=_RENDER_SECONDS)).pdf
        except grpc.aio.AioRpcError as error:
            if error.code() not in _AWAY:
                raise
            raise Unavailable("DOCUMENTS_UNAVAILABLE", "no slip was printed, the old one stays valid; repeat") from error

    async def _note(self, connection: Connection, school_id: UUID, grant: SlipGrant, issue_number: int) -> None:
        """Notes the issue in the log of the case the grant came from; a grant by an earlier paper application has none."""
        if grant.application_id is not None:
            who, now = auth.caller(), self._clock.now()
            ground = f"напечатана памятка доступа, выдача № {issue_number}"
            state = applications.State.GRANTED
            await case_log.insert_log_entry(connection, school_id, grant.application_id, who.account_id, state, ground, now)
            await cases.touch_case(connection, school_id, grant.application_id)

    async def _prove(self, request: pb.ActivateAccountRequest, address: str) -> FirstCredentials:
        """The account of a live token, or of a login with its one-time password.

        Raises Unauthenticated CREDENTIALS_INVALID, ResourceExhausted SIGN_IN_BLOCKED, SIGN_IN_BUSY, InvalidArgument
        REQUEST_INVALID.
        """
        login = read_login(request.login)
        if bool(request.activation_token) == bool(login and request.one_time_password):
            violation = FieldViolation("activation_token", "either the token, or login and one-time password")
            raise InvalidArgument("REQUEST_INVALID", violation.description, violations=(violation,))
        if not request.activation_token:
            return await self._check_one_time_password(login, request.one_time_password, address)
        async with self._database.region() as connection:
            found = await store.find_by_token(connection, digest(request.activation_token), self._clock.now())
        if found is None:
            raise _invalid()
        return found

    async def _check_one_time_password(self, login: str, typed: str, address: str) -> FirstCredentials:
        """From here on only the own password can be amiss, which is no attempt at another's account."""
        async with self._attempts.at_sign_in(login, address) as attempt:
            async with self._database.region() as connection:
                found = await store.find_by_login(connection, login, self._clock.now())
            shown, kept = normalise_one_time_password(typed), found.one_time_hash if found else None
            checked = await self._passwords.check(Lane.FIRST_SIGN_IN, kept, [shown])
            attempt.outcome = Outcome.RIGHT if checked.is_right else Outcome.WRONG
            if found is None or not checked.is_right:
                raise _invalid()
        return found


def _invalid() -> Unauthenticated:
    return Unauthenticated("CREDENTIALS_INVALID", "the link or the one-time password is not valid or was replaced")
