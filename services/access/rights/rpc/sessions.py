"""Sign-in, sessions, and who the caller is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import pyotp
from prometheus_client import Counter

from chassis import auth, requests
from chassis.errors import FailedPrecondition, ResourceExhausted, Unauthenticated
from chassis.interceptors import Context
from chassis.run import Frame
from diary.access.v1 import session_pb2, session_service_pb2, session_service_pb2_grpc
from services.access.people.store import people
from services.access.rights.actions.endings import Endings
from services.access.rights.actions.passwords import Lane, Passwords
from services.access.rights.actions.second_factor import SecondFactors
from services.access.rights.actions.sign_in import Attempt, Sessions, SignInAttempts, end_session
from services.access.rights.convert import sessions as convert
from services.access.rights.rpc.addresses import client_address
from services.access.rights.rules.callers import Place
from services.access.rights.rules.credentials import normalise_one_time_password
from services.access.rights.rules.second_factors import CodeOutcome, build_link, require_enrolled, require_new, require_right
from services.access.rights.rules.sign_in import Exchange, Outcome, list_spellings, read_login
from services.access.rights.store import accounts, callers, pushes, relations, second_factors, sessions
from services.access.rights.store.accounts import Account
from services.access.rights.store.sessions import Holder, Session

_sign_ins = Counter("diary_access_sign_ins_total", "Sign-ins by outcome: succeeded, failed, blocked", ["outcome"])
for _outcome in ("succeeded", "failed", "blocked"):
    _sign_ins.labels(_outcome)


class SessionServicer(session_service_pb2_grpc.SessionServiceServicer):
    """SessionService."""

    def __init__(
        self,
        frame: Frame,
        endings: Endings,
        begun: Sessions,
        attempts: SignInAttempts,
        passwords: Passwords,
        factors: SecondFactors,
    ) -> None:
        self._database = frame.database
        self._clock = frame.clock
        self._endings = endings
        self._sessions = begun
        self._attempts = attempts
        self._passwords = passwords
        self._factors = factors

    async def CreateSession(
        self, request: session_service_pb2.CreateSessionRequest, context: Context
    ) -> session_service_pb2.CreateSessionResponse:
        """Signs in; an unknown login takes the same way and time as a wrong password."""
        login, address = read_login(request.login), client_address(context)
        async with self._counted(login, address) as attempt:
            account = await self._check_password(login, request.password, attempt)
        await self._factors.ask_where_confirmed(account.account_id, login, address, request.one_time_code)
        async with self._database.region() as connection, connection.transaction():
            begun = await self._sessions.begin(connection, account.account_id, login, address)
        session_id, refresh_token, expire_time = begun
        session = Session(session_id, account.account_id, account.is_operator)
        _sign_ins.labels("succeeded").inc()
        return session_service_pb2.CreateSessionResponse(tokens=await self._sessions.sign(session, refresh_token, expire_time))

    async def RefreshSession(
        self, request: session_service_pb2.RefreshSessionRequest, context: Context
    ) -> session_service_pb2.RefreshSessionResponse:
        """Exchanges the refresh token; one that was used before the last one ends the session, since two hold it."""
        exchange = Exchange.OVER
        async with self._database.region() as connection, connection.transaction():
            known = await self._sessions.find(connection, request.refresh_token)
            if known is not None:
                exchange, next_token, expire_time = await self._sessions.exchange(connection, known, request.refresh_token)
                if exchange is Exchange.REUSED:
                    await end_session(connection, self._clock, known.session.account_id, known.session.session_id)
        if known is None or exchange not in (Exchange.NEXT, Exchange.ANOTHER):
            raise Unauthenticated("SESSION_ENDED", "the session is over or its token was used already; sign in again")
        tokens = await self._sessions.sign(known.session, next_token, expire_time)
        return session_service_pb2.RefreshSessionResponse(tokens=tokens)

    async def EndSession(
        self, request: session_service_pb2.EndSessionRequest, context: Context
    ) -> session_service_pb2.EndSessionResponse:
        """Ends the session here, then everywhere. A repeat waits again."""
        async with self._database.region() as connection, connection.transaction():
            known = await self._sessions.find(connection, request.refresh_token)
            if known is None:
                raise Unauthenticated("SESSION_ENDED", "the refresh token is of no session")
            await end_session(connection, self._clock, known.session.account_id, known.session.session_id)
            waiting = await pushes.list_pushes_of_session(connection, known.session.session_id)
        await self._endings.wait_for(waiting)
        return session_service_pb2.EndSessionResponse()

    async def EnrolTotp(
        self, request: session_service_pb2.EnrolTotpRequest, context: Context
    ) -> session_service_pb2.EnrolTotpResponse:
        """A new secret for one-time codes, the password asked again; it counts once confirmed."""
        holder, now = await self._find_holder(), self._clock.now()
        async with self._attempts.of_session(auth.caller().session_id) as attempt:
            await self._check_password(holder.login, request.password, attempt)
        secret = pyotp.random_base32()
        sealed = self._factors.keys.seal(secret, holder.account_id)
        async with self._database.region() as connection, connection.transaction():
            require_new(await second_factors.lock_factor(connection, holder.account_id))
            await second_factors.save_secret(connection, holder.account_id, sealed, now)
        return session_service_pb2.EnrolTotpResponse(secret=secret, link=build_link(secret, holder.login))

    async def ConfirmTotp(
        self, request: session_service_pb2.ConfirmTotpRequest, context: Context
    ) -> session_service_pb2.ConfirmTotpResponse:
        """Confirms the secret by one of its codes."""
        holder, answer = await self._find_holder(), session_service_pb2.ConfirmTotpResponse()
        session_id = auth.caller().session_id
        async with self._database.region() as connection, connection.transaction():
            factor = await second_factors.lock_factor(connection, holder.account_id)
            if await requests.find_answer(connection, holder.account_id, request, session_service_pb2.ConfirmTotpResponse):
                return answer
            require_new(factor)
            enrolled = require_enrolled(factor)
            code, asked = request.one_time_code, requests.digest(request)
            outcome = await self._factors.use(connection, session_id, holder.account_id, enrolled, code, asked)
            if outcome is CodeOutcome.RIGHT:
                await requests.keep_answer(connection, holder.account_id, request, answer, self._clock.now())
        require_right(outcome)
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
            has_factor = await second_factors.has_confirmed(connection, who.account_id)
        return session_service_pb2.GetCallerResponse(
            account_id=str(holder.account_id),
            login=holder.login,
            has_second_factor=has_factor,
            schools=[await self._read_place(who.account_id, place, now) for place in places],
        )

    @asynccontextmanager
    async def _counted(self, login: str, address: str) -> AsyncIterator[Attempt]:
        """An attempt to sign in, counted in the metric too."""
        try:
            async with self._attempts.at_sign_in(login, address) as attempt:
                yield attempt
        except ResourceExhausted:
            _sign_ins.labels("blocked").inc()
            raise

    async def _check_password(self, login: str, password: str, attempt: Attempt) -> Account:
        """The account. Raises Unauthenticated SIGN_IN_FAILED, ResourceExhausted SIGN_IN_BUSY, and at a one-time password,
        which opens nothing but activation, FailedPrecondition PASSWORD_NOT_SET.
        """
        async with self._database.region() as connection:
            account = await accounts.find_account(connection, login, self._clock.now())
        is_first, spellings = account is not None and not account.is_activated, list_spellings(password)
        if is_first:
            # Of one spelling, and as many runs as this text has with any other login: time tells nothing.
            spellings = [normalise_one_time_password(password)] * len(spellings)
        checked = await self._passwords.check(Lane.SIGN_IN, account.password_hash if account else None, spellings)
        attempt.outcome = Outcome.RIGHT if checked.is_right else Outcome.WRONG
        if account is None or account.password_hash is None or not checked.is_right:
            _sign_ins.labels("failed").inc()
            raise Unauthenticated("SIGN_IN_FAILED", "the login is not known or the password is wrong")
        if is_first:
            raise FailedPrecondition("PASSWORD_NOT_SET", "the one-time password opens only the page of first sign-in")
        if checked.better_hash:
            async with self._database.region() as connection:
                await accounts.replace_password(connection, account.account_id, account.password_hash, checked.better_hash)
        return account

    async def _read_place(self, account_id: UUID, place: Place, now: datetime) -> session_pb2.CallerSchool:
        async with self._database.school(place.school_id) as connection:
            name = await people.get_person_name(connection, place.school_id, place.person_id)
            roles = await relations.list_roles(connection, place.school_id, account_id, now)
            students = await callers.list_open_students(connection, place.school_id, account_id, now)
        return convert.caller_school(place, name, roles, students)
