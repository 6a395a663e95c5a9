"""Sign-in, sessions, and who the caller is."""

import secrets
from datetime import datetime
from uuid import UUID

import pyotp
from prometheus_client import Counter

from chassis import auth, outbox, requests
from chassis.db import Connection
from chassis.errors import FailedPrecondition, ResourceExhausted, Unauthenticated
from chassis.interceptors import Context
from chassis.run import Frame
from diary.access.v1 import session_service_pb2, session_service_pb2_grpc
from services.access import convert
from services.access.actions.endings import Endings
from services.access.actions.passwords import Passwords
from services.access.actions.second_factor import ask_where_confirmed
from services.access.actions.sign_in import Sessions, begin_attempt, digest
from services.access.rules.callers import Place
from services.access.rules.credentials import normalise_one_time_password
from services.access.rules.second_factors import build_link, check_code, require_enrolled, require_new
from services.access.rules.sign_in import SESSION_IDLE_TIME, read_login
from services.access.store import accounts, callers, pushes, relations, second_factors, sessions
from services.access.store.accounts import Account
from services.access.store.sessions import Holder, Session

_sign_ins = Counter("diary_access_sign_ins_total", "Sign-ins by outcome: succeeded, failed, blocked", ["outcome"])
for _outcome in ("succeeded", "failed", "blocked"):
    _sign_ins.labels(_outcome)


class SessionServicer(session_service_pb2_grpc.SessionServiceServicer):
    """SessionService."""

    def __init__(self, frame: Frame, endings: Endings, begun: Sessions, passwords: Passwords) -> None:
        self._database = frame.database
        self._clock = frame.clock
        self._endings = endings
        self._sessions = begun
        self._passwords = passwords

    async def CreateSession(
        self, request: session_service_pb2.CreateSessionRequest, context: Context
    ) -> session_service_pb2.CreateSessionResponse:
        """Signs in; an unknown login takes the same way and time as a wrong password."""
        login = read_login(request.login)
        account = await self._check_password(login, request.password)
        await ask_where_confirmed(self._database, self._clock, account.account_id, request.one_time_code)
        async with self._database.region() as connection, connection.transaction():
            session_id, refresh_token, expire_time = await self._sessions.begin(connection, account.account_id, login)
        session = Session(session_id, account.account_id, account.is_operator)
        _sign_ins.labels("succeeded").inc()
        return session_service_pb2.CreateSessionResponse(tokens=await self._sessions.sign(session, refresh_token, expire_time))

    async def RefreshSession(
        self, request: session_service_pb2.RefreshSessionRequest, context: Context
    ) -> session_service_pb2.RefreshSessionResponse:
        """Exchanges the refresh token; one that was used already ends the session, since two hold it."""
        now, next_token = self._clock.now(), secrets.token_urlsafe(32)
        expire_time, used = now + SESSION_IDLE_TIME, digest(request.refresh_token)
        async with self._database.region() as connection, connection.transaction():
            session = await sessions.rotate_session(connection, used, digest(next_token), now, expire_time)
            if session is None:
                await self._end(connection, used, now)
        if session is None:
            raise Unauthenticated("SESSION_ENDED", "the session is over or its token was used already; sign in again")
        return session_service_pb2.RefreshSessionResponse(tokens=await self._sessions.sign(session, next_token, expire_time))

    async def EndSession(
        self, request: session_service_pb2.EndSessionRequest, context: Context
    ) -> session_service_pb2.EndSessionResponse:
        """Ends the session here, then everywhere. A repeat waits again."""
        shown = digest(request.refresh_token)
        async with self._database.region() as connection, connection.transaction():
            await self._end(connection, shown, self._clock.now())
            session_id = await sessions.find_session_id(connection, shown)
            if session_id is None:
                raise Unauthenticated("SESSION_ENDED", "the refresh token is of no session")
            waiting = await pushes.list_pushes_of_session(connection, session_id)
        await self._endings.wait_for(waiting)
        return session_service_pb2.EndSessionResponse()

    async def EnrolTotp(
        self, request: session_service_pb2.EnrolTotpRequest, context: Context
    ) -> session_service_pb2.EnrolTotpResponse:
        """A new secret for one-time codes, the password asked again; it counts once confirmed."""
        holder, now = await self._find_holder(), self._clock.now()
        await self._check_password(holder.login, request.password)
        secret = pyotp.random_base32()
        async with self._database.region() as connection, connection.transaction():
            await accounts.delete_failures(connection, digest(holder.login))
            require_new(await second_factors.lock_factor(connection, holder.account_id))
            await second_factors.save_secret(connection, holder.account_id, secret, now)
        return session_service_pb2.EnrolTotpResponse(secret=secret, link=build_link(secret, holder.login))

    async def ConfirmTotp(
        self, request: session_service_pb2.ConfirmTotpRequest, context: Context
    ) -> session_service_pb2.ConfirmTotpResponse:
        """Confirms the secret by one of its codes."""
        holder, now, answer = await self._find_holder(), self._clock.now(), session_service_pb2.ConfirmTotpResponse()
        async with self._database.region() as connection, connection.transaction():
            factor = await second_factors.lock_factor(connection, holder.account_id)
            if await requests.find_answer(connection, holder.account_id, request, session_service_pb2.ConfirmTotpResponse):
                return answer
            require_new(factor)
            step = check_code(require_enrolled(factor), request.one_time_code, now)
            await second_factors.use_step(connection, holder.account_id, step, now)
            await requests.keep_answer(connection, holder.account_id, request, answer, now)
        return answer

    async def _find_holder(self) -> Holder:
        """The caller's account. Raises Unauthenticated SESSION_ENDED."""
        who = auth.caller()
        async with self._database.region() as connection:
            holder = await sessions.find_holder(connection, who.session_id, who.account_id, self._clock.now())
        if holder is None:
            raise Unauthenticated("SESSION_ENDED", "the session is over; sign in again")
        return holder

    async def GetCaller(
        self, request: session_service_pb2.GetCallerRequest, context: Context
    ) -> session_service_pb2.GetCallerResponse:
        """The account, its places in schools and the diaries it may open."""
        who, now, holder = auth.caller(), self._clock.now(), await self._find_holder()
        async with self._database.region() as connection:
            places = await accounts.list_places(connection, who.account_id)
        return session_service_pb2.GetCallerResponse(
            account_id=str(holder.account_id),
            login=holder.login,
            schools=[await self._read_place(who.account_id, place, now) for place in places],
        )

    async def _check_password(self, login: str, password: str) -> Account:
        """The account. Raises Unauthenticated SIGN_IN_FAILED, ResourceExhausted SIGN_IN_BLOCKED, and at a one-time password,
        which opens nothing but activation, FailedPrecondition PASSWORD_NOT_SET.
        """
        now = self._clock.now()
        try:
            async with self._database.region() as connection, connection.transaction():
                await begin_attempt(connection, login, now)
                account = await accounts.find_account(connection, login, now)
        except ResourceExhausted:
            _sign_ins.labels("blocked").inc()
            raise
        is_first = account is not None and not account.is_activated
        shown = normalise_one_time_password(password) if is_first else password
        is_right = await self._passwords.is_right(account.password_hash if account else None, shown)
        if account is None or not is_right:
            _sign_ins.labels("failed").inc()
            raise Unauthenticated("SIGN_IN_FAILED", "the login is not known or the password is wrong")
        if is_first:
            raise FailedPrecondition("PASSWORD_NOT_SET", "the one-time password opens only the page of first sign-in")
        return account

    async def _read_place(self, account_id: UUID, place: Place, now: datetime) -> session_service_pb2.CallerSchool:
        async with self._database.school(place.school_id) as connection:
            name = await callers.get_person_name(connection, place.school_id, place.person_id)
            roles = await relations.list_roles(connection, place.school_id, account_id, now)
            students = await callers.list_open_students(connection, place.school_id, account_id, now)
        return convert.caller_school(place, name, roles, students)

    async def _end(self, connection: Connection, refresh_digest: bytes, now: datetime) -> None:
        """Ends the session of a present or just used refresh token, if one lives, and queues its end for the others."""
        session = await sessions.end_session(connection, refresh_digest, now)
        if session is not None:
            await pushes.insert_session_pushes(connection, session.session_id, now)
            event = convert.sessions_ended(session.account_id, session.session_id)
            await outbox.add(connection, self._clock, event, None)
