"""What sign-in and activation share: counting attempts, beginning a session, signing its tokens."""

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from chassis.auth import Signer
from chassis.db import Connection
from chassis.run import Frame
from diary.access.v1 import session_service_pb2
from services.access import convert
from services.access.rules.roles import Role
from services.access.rules.sign_in import SESSION_IDLE_TIME, count_attempt
from services.access.store import accounts, relations, sessions
from services.access.store.sessions import Session


def digest(secret: str) -> bytes:
    """What is kept of a token of 256 random bits, and of a login that failed."""
    return hashlib.sha256(secret.encode()).digest()


async def begin_attempt(connection: Connection, login: str, now: datetime) -> None:
    """Counts an attempt for a login, known or not. In a transaction in `db.region`.

    Raises ResourceExhausted SIGN_IN_BLOCKED.
    """
    failures = await accounts.lock_failures(connection, digest(login), now)
    await accounts.save_failures(connection, digest(login), count_attempt(failures, now))


class Sessions:
    """Begins sessions and signs their tokens."""

    def __init__(self, frame: Frame, signer: Signer) -> None:
        self._database = frame.database
        self._clock = frame.clock
        self._signer = signer

    async def begin(self, connection: Connection, account_id: UUID, login: str) -> tuple[UUID, str, datetime]:
        """A session of who has just proved who it is: its id, refresh token, expiry. In a transaction in `db.region`."""
        now, refresh_token = self._clock.now(), secrets.token_urlsafe(32)
        expire_time = now + SESSION_IDLE_TIME
        await accounts.delete_failures(connection, digest(login))
        session_id = await sessions.insert_session(connection, account_id, digest(refresh_token), now, expire_time)
        return session_id, refresh_token, expire_time

    async def sign(self, session: Session, refresh_token: str, expire_time: datetime) -> session_service_pb2.SessionTokens:
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
