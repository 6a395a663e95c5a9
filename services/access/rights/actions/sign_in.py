"""What sign-in and activation share: counting attempts, beginning a session, exchanging and signing its tokens."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis import outbox
from chassis.auth import Caller, Signer
from chassis.clock import Clock
from chassis.db import Connection, Database
from chassis.errors import ResourceExhausted
from chassis.run import Frame
from diary.access.v1 import session_pb2
from services.access.people.rules.roles import Role
from services.access.rights.convert import sessions as convert
from services.access.rights.rules.sign_in import (
    FAILURES,
    LOGIN_FAILURES,
    SIBLINGS,
    Exchange,
    Outcome,
    begin_attempt,
    end_attempt,
    find_expiry,
    judge_refresh,
)
from services.access.rights.store import accounts, pushes, relations, sessions
from services.access.rights.store.sessions import KnownSession, Session

# Others of the same login are judged first; clients give up after five seconds.
_WAIT_SECONDS = 4.0
_LOOK_SECONDS = 0.05


def digest(secret: str) -> bytes:
    """What is kept of a token of 256 random bits, and of what attempts are counted for."""
    return hashlib.sha256(secret.encode()).digest()


def address_digest(login: str, address: str) -> bytes:
    """What is kept of an address that a login came from."""
    return digest(f"{login}\0{address}")


@dataclass(slots=True)
class Attempt:
    """An attempt under way; `outcome` is set by who judges it."""

    outcome: Outcome = Outcome.UNJUDGED


class SignInAttempts:
    """Counts attempts for a login, known or not: few from one address, many from everywhere.

    So a stranger blocks the login at the stranger's own address, and a class behind one address blocks nobody: each login
    counts apart. Where the login was signed in from before, the count from everywhere does not hold.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @asynccontextmanager
    async def at_sign_in(self, login: str, address: str) -> AsyncIterator[Attempt]:
        """An attempt at a login from an address. Raises ResourceExhausted SIGN_IN_BLOCKED, SIGN_IN_BUSY."""
        pair = address_digest(login, address)
        async with self._database.region() as connection:
            is_known = await sessions.is_known_address(connection, login, pair)
        limits = {pair: FAILURES} if is_known else {pair: FAILURES, digest(login): LOGIN_FAILURES}
        async with self._counted(limits, pair) as attempt:
            yield attempt

    @asynccontextmanager
    async def of_session(self, session_id: UUID) -> AsyncIterator[Attempt]:
        """An attempt by who is signed in already: what strangers do to the login does not stand in the way."""
        key = digest(f"session {session_id}")
        async with self._counted({key: FAILURES}, key) as attempt:
            yield attempt

    @asynccontextmanager
    async def _counted(self, limits: Mapping[bytes, int], forgiving: bytes) -> AsyncIterator[Attempt]:
        """Before an attempt is judged it is kept as under way, so that many at once are no more than few in turn."""
        begun, attempt = await self._wait(limits), Attempt()
        try:
            yield attempt
        except asyncio.CancelledError:
            # The caller hung up: what was not judged counts as failed in half a minute.
            raise
        except Exception:
            await self._end(limits, forgiving, begun, attempt.outcome)
            raise
        await self._end(limits, forgiving, begun, attempt.outcome)

    async def _wait(self, limits: Mapping[bytes, int]) -> datetime:
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                while True:
                    if begun := await self._begin(limits):
                        return begun
                    # Another process may judge the one that is waited for.
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            raise ResourceExhausted("SIGN_IN_BUSY", "other sign-ins of the same login are being checked; repeat") from None

    async def _begin(self, limits: Mapping[bytes, int]) -> datetime | None:
        now = self._clock.now()
        async with self._database.region() as connection, connection.transaction():
            known = await accounts.lock_attempts(connection, sorted(limits), now)
            next_ones = {key: begin_attempt(known[key], limit, now) for key, limit in limits.items()}
            counted = {key: attempts for key, attempts in next_ones.items() if attempts is not None}
            if len(counted) < len(limits):
                return None
            await accounts.save_attempts(connection, counted)
        return now

    async def _end(self, limits: Mapping[bytes, int], forgiving: bytes, begun: datetime, outcome: Outcome) -> None:
        async with self._database.region() as connection, connection.transaction():
            known = await accounts.lock_attempts(connection, sorted(limits), self._clock.now())
            ended = {key: end_attempt(known[key], begun, outcome, is_forgiving=key == forgiving) for key in limits}
            await accounts.save_attempts(connection, ended)


class Sessions:
    """Begins sessions, exchanges their refresh tokens and signs their tokens.

    A refresh token is `<secret of the family>.<secret of its own>`; of both a digest is kept.
    """

    def __init__(self, frame: Frame, signer: Signer) -> None:
        self._database = frame.database
        self._clock = frame.clock
        self._signer = signer

    async def begin(self, connection: Connection, account_id: UUID, login: str, address: str) -> tuple[UUID, str, datetime]:
        """A session of who has just proved who it is: its id, refresh token, expiry. In a transaction in `db.region`."""
        now, family = self._clock.now(), secrets.token_urlsafe(16)
        refresh_token, expire_time = _make_token(family), find_expiry(now, now)
        session_id = await sessions.insert_session(
            connection,
            account_id,
            digest(family),
            digest(refresh_token),
            address_digest(login, address),
            now,
            expire_time,
        )
        return session_id, refresh_token, expire_time

    async def find(self, connection: Connection, refresh_token: str) -> KnownSession | None:
        """The session of any refresh token it had, held until the transaction ends. In `db.region`."""
        return await sessions.lock_session(connection, digest(_read_family(refresh_token)), digest(refresh_token))

    async def exchange(self, connection: Connection, known: KnownSession, refresh_token: str) -> tuple[Exchange, str, datetime]:
        """What became of a refresh token shown, the next one and its expiry. With the session held."""
        now, shown = self._clock.now(), digest(refresh_token)
        # Tokens of the release before name no family.
        family = _read_family(refresh_token) or secrets.token_urlsafe(16)
        next_token, expire_time = _make_token(family), find_expiry(known.create_time, now)
        exchange, session_id = judge_refresh(known.family, shown, now), known.session.session_id
        if exchange is Exchange.NEXT:
            await sessions.rotate_session(connection, session_id, digest(family), shown, digest(next_token), now, expire_time)
        elif exchange is Exchange.ANOTHER:
            await sessions.add_sibling(connection, session_id, digest(next_token), SIBLINGS)
        return exchange, next_token, expire_time

    async def sign(self, session: Session, refresh_token: str, expire_time: datetime) -> session_pb2.SessionTokens:
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


async def end_session(connection: Connection, clock: Clock, account_id: UUID, session_id: UUID) -> None:
    """Ends a session, if it lives, and queues its end for the others. In a transaction in `db.region`."""
    now = clock.now()
    if await sessions.end_session(connection, session_id, now):
        await pushes.insert_session_pushes(connection, session_id, now)
        await outbox.add(connection, clock, convert.sessions_ended(account_id, session_id), None)


async def has_ended(database: Database, clock: Clock, who: Caller) -> bool:
    """Whether the caller's session is over, or none of ours."""
    async with database.region() as connection:
        return await sessions.find_holder(connection, who.session_id, who.account_id, clock.now()) is None


def _make_token(family: str) -> str:
    return f"{family}.{secrets.token_urlsafe(32)}"


def _read_family(refresh_token: str) -> str:
    family, stop, _ = refresh_token.partition(".")
    return family if stop else ""
