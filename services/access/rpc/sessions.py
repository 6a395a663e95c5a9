"""Sign-in, sessions, and who the caller is."""

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from prometheus_client import Counter

from chassis import auth, outbox
from chassis.auth import Signer
from chassis.db import Connection
from chassis.errors import ResourceExhausted, Unauthenticated
from chassis.interceptors import Context
from chassis.run import Frame
from diary.access.v1 import session_service_pb2, session_service_pb2_grpc
from services.access import convert
from services.access.actions.endings import Endings
from services.access.actions.passwords import PasswordChecker
from services.access.rules.callers import Place
from services.access.rules.roles import Role
from services.access.rules.sign_in import SESSION_IDLE_TIME, count_attempt
from services.access.store import accounts, callers, pushes, relations, sessions
from services.access.store.accounts import Account
from services.access.store.sessions import Session

_sign_ins = Counter("diary_access_sign_ins_total", "Sign-ins by outcome: succeeded, failed, blocked", ["outcome"])


class SessionServicer(session_service_pb2_grpc.SessionServiceServicer):
    """SessionService."""

    def __init__(self, frame: Frame, endings: Endings, signer: Signer, passwords: PasswordChecker) -> None:
        self._database = frame.database
        self._clock = frame.clock
        self._endings = endings
        self._signer = signer
        self._passwords = passwords

    async def CreateSession(
        self, request: session_service_pb2.CreateSessionRequest, context: Context
    ) -> session_service_pb2.CreateSessionResponse:
        """Signs in; an unknown login takes the same way and time as a wrong password."""
        login = request.login.strip().lower()
        account = await self._check_password(login, request.password)
        now, refresh_token = self._clock.now(), secrets.token_urlsafe(32)
        expire_time = now + SESSION_IDLE_TIME
        async with self._database.region() as connection, connection.transaction():
            await accounts.delete_failures(connection, _digest(login))
            session_id = await sessions.insert_session(connection, account.account_id, _digest(refresh_token), now, expire_time)
        session = Session(session_id, account.account_id, account.is_operator)
        _sign_ins.labels("succeeded").inc()
        return session_service_pb2.CreateSessionResponse(tokens=await self._sign_tokens(session, refresh_token, expire_time))

    async def RefreshSession(
        self, request: session_service_pb2.RefreshSessionRequest, context: Context
    ) -> session_service_pb2.RefreshSessionResponse:
        """Exchanges the refresh token; one that was used already ends the session, since two hold it."""
        now, next_token = self._clock.now(), secrets.token_urlsafe(32)
        expire_time, digest = now + SESSION_IDLE_TIME, _digest(request.refresh_token)
        async with self._database.region() as connection, connection.transaction():
            session = await sessions.rotate_session(connection, digest, _digest(next_token), now, expire_time)
            if session is None:
                await self._end(connection, digest, now)
        if session is None:
            raise Unauthenticated("SESSION_ENDED", "the session is over or its token was used already; sign in again")
        return session_service_pb2.RefreshSessionResponse(tokens=await self._sign_tokens(session, next_token, expire_time))

    async def EndSession(
        self, request: session_service_pb2.EndSessionRequest, context: Context
    ) -> session_service_pb2.EndSessionResponse:
        """Ends the session here, then everywhere. A repeat waits again."""
        digest = _digest(request.refresh_token)
        async with self._database.region() as connection, connection.transaction():
            await self._end(connection, digest, self._clock.now())
            session_id = await sessions.find_session_id(connection, digest)
            if session_id is None:
                raise Unauthenticated("SESSION_ENDED", "the refresh token is of no session")
            waiting = await pushes.list_pushes_of_session(connection, session_id)
        await self._endings.wait_for(waiting)
        return session_service_pb2.EndSessionResponse()

    async def GetCaller(
        self, request: session_service_pb2.GetCallerRequest, context: Context
    ) -> session_service_pb2.GetCallerResponse:
        """The account, its places in schools and the diaries it may open."""
        who, now = auth.caller(), self._clock.now()
        async with self._database.region() as connection:
            holder = await sessions.find_holder(connection, who.session_id, who.account_id, now)
            if holder is None:
                raise Unauthenticated("SESSION_ENDED", "the session is over; sign in again")
            places = await accounts.list_places(connection, who.account_id)
        return session_service_pb2.GetCallerResponse(
            account_id=str(holder.account_id),
            login=holder.login,
            schools=[await self._read_place(who.account_id, place, now) for place in places],
        )

    async def _check_password(self, login: str, password: str) -> Account:
        """The account. Raises Unauthenticated SIGN_IN_FAILED, ResourceExhausted SIGN_IN_BLOCKED."""
        now, digest = self._clock.now(), _digest(login)
        try:
            async with self._database.region() as connection, connection.transaction():
                failures = await accounts.lock_failures(connection, digest, now)
                await accounts.save_failures(connection, digest, count_attempt(failures, now))
                account = await accounts.find_account(connection, login)
        except ResourceExhausted:
            _sign_ins.labels("blocked").inc()
            raise
        is_right = await self._passwords.is_right(account.password_hash if account else None, password)
        if account is None or not is_right:
            _sign_ins.labels("failed").inc()
            raise Unauthenticated("SIGN_IN_FAILED", "the login is not known or the password is wrong")
        return account

    async def _sign_tokens(
        self, session: Session, refresh_token: str, expire_time: datetime
    ) -> session_service_pb2.SessionTokens:
        """The pair of tokens; the roles are those of now over all schools."""
        roles = {int(Role.OPERATOR)} if session.is_operator else set()
        now = self._clock.now()
        async with self._database.region() as connection:
            places = await accounts.list_places(connection, session.account_id)
        for place in places:
            async with self._database.school(place.school_id) as connection:
                roles |= await relations.list_roles(connection, place.school_id, session.account_id, now)
        claims: dict[str, object] = {"sid": str(session.session_id), "roles": convert.role_names(roles)}
        token, token_expires = self._signer.sign("diary-access", str(session.account_id), claims)
        return convert.tokens(token, token_expires, refresh_token, expire_time, session.session_id)

    async def _read_place(self, account_id: UUID, place: Place, now: datetime) -> session_service_pb2.CallerSchool:
        async with self._database.school(place.school_id) as connection:
            name = await callers.get_person_name(connection, place.school_id, place.person_id)
            roles = await relations.list_roles(connection, place.school_id, account_id, now)
            students = await callers.list_open_students(connection, place.school_id, account_id, now)
        return convert.caller_school(place, name, roles, students)

    async def _end(self, connection: Connection, digest: bytes, now: datetime) -> None:
        """Ends the session of a present or just used refresh token, if one lives, and queues its end for the others."""
        session = await sessions.end_session(connection, digest, now)
        if session is not None:
            await pushes.insert_session_pushes(connection, session.session_id, now)
            event = convert.sessions_ended(session.account_id, session.session_id)
            await outbox.add(connection, self._clock, event, None)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
