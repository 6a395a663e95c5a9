"""Sessions. In `db.region`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.db import Connection
from chassis.relations import EndedSession


@dataclass(frozen=True, slots=True)
class Session:
    """A session and its account."""

    session_id: UUID
    account_id: UUID
    is_operator: bool


@dataclass(frozen=True, slots=True)
class Holder:
    """The account behind a live session."""

    account_id: UUID
    login: str


async def insert_session(
    connection: Connection, account_id: UUID, refresh_digest: bytes, now: datetime, expire_time: datetime
) -> UUID:
    """A new session; returns its id."""
    session_id: UUID = await connection.fetchval(
        """
        INSERT INTO sessions (account_id, refresh_digest, create_time, expire_time) VALUES ($1, $2, $3, $4)
        RETURNING session_id
        """,
        account_id,
        refresh_digest,
        now,
        expire_time,
    )
    return session_id


async def rotate_session(
    connection: Connection, digest: bytes, next_digest: bytes, now: datetime, expire_time: datetime
) -> Session | None:
    """Exchanges the digest of a live session's present refresh token for the next one; None when it is of none."""
    row = await connection.fetchrow(
        """
        UPDATE sessions s SET refresh_digest = $2, previous_refresh_digest = $1, expire_time = $4
        FROM accounts a
        WHERE s.refresh_digest = $1 AND s.end_time IS NULL AND s.expire_time > $3 AND a.account_id = s.account_id
        RETURNING s.session_id, s.account_id, a.is_operator
        """,
        digest,
        next_digest,
        now,
        expire_time,
    )
    return Session(**row) if row else None


async def end_session(connection: Connection, digest: bytes, now: datetime) -> Session | None:
    """Ends the session of a present or already used refresh token; None when there is none that lives."""
    row = await connection.fetchrow(
        """
        UPDATE sessions s SET end_time = $2
        FROM accounts a
        WHERE (s.refresh_digest = $1 OR s.previous_refresh_digest = $1) AND s.end_time IS NULL AND a.account_id = s.account_id
        RETURNING s.session_id, s.account_id, a.is_operator
        """,
        digest,
        now,
    )
    return Session(**row) if row else None


async def end_sessions(connection: Connection, account_id: UUID, now: datetime) -> list[UUID]:
    """Ends all live sessions of an account but an operator's; returns them."""
    rows = await connection.fetch(
        """
        UPDATE sessions s SET end_time = $2 FROM accounts a
        WHERE s.account_id = $1 AND s.end_time IS NULL AND a.account_id = s.account_id AND NOT a.is_operator
        RETURNING s.session_id
        """,
        account_id,
        now,
    )
    return [row["session_id"] for row in rows]


async def find_session_id(connection: Connection, digest: bytes) -> UUID | None:
    """The session, ended or not, of a present or just used refresh token."""
    session_id: UUID | None = await connection.fetchval(
        "SELECT session_id FROM sessions WHERE refresh_digest = $1 OR previous_refresh_digest = $1", digest
    )
    return session_id


async def find_holder(connection: Connection, session_id: UUID, account_id: UUID, now: datetime) -> Holder | None:
    """The account, while the session lives."""
    row = await connection.fetchrow(
        """
        SELECT a.account_id, a.login FROM sessions s JOIN accounts a USING (account_id)
        WHERE s.session_id = $1 AND s.account_id = $2 AND s.end_time IS NULL AND s.expire_time > $3
        """,
        session_id,
        account_id,
        now,
    )
    return Holder(**row) if row else None


async def list_ended_sessions(connection: Connection, session_ids: Sequence[UUID]) -> list[EndedSession]:
    """Those of the sessions that have ended."""
    rows = await connection.fetch(
        """
        SELECT session_id, end_time AS ended_time FROM sessions
        WHERE session_id = ANY ($1::uuid[]) AND end_time IS NOT NULL
        """,
        session_ids,
    )
    return [EndedSession(**row) for row in rows]


async def delete_old_sessions(connection: Connection, before: datetime) -> None:
    """Forgets sessions that ran out before a moment."""
    await connection.execute("DELETE FROM sessions WHERE expire_time < $1", before)
