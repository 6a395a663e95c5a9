"""Sessions. In `db.region`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.db import Connection
from chassis.relations import EndedSession
from services.access.rights.rules.sign_in import Family


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


@dataclass(frozen=True, slots=True)
class KnownSession:
    """A session as one of its refresh tokens finds it."""

    session: Session
    create_time: datetime
    family: Family


async def insert_session(
    connection: Connection,
    account_id: UUID,
    family_digest: bytes,
    refresh_digest: bytes,
    address_digest: bytes,
    now: datetime,
    expire_time: datetime,
) -> UUID:
    """A new session; returns its id."""
    session_id: UUID = await connection.fetchval(
        """
        INSERT INTO sessions (account_id, family_digest, refresh_digest, current_digests, address_digest, create_time,
                              rotate_time, expire_time)
        VALUES ($1, $2, $3, array[$3::bytea], $4, $5, $5, $6)
        RETURNING session_id
        """,
        account_id,
        family_digest,
        refresh_digest,
        address_digest,
        now,
        expire_time,
    )
    return session_id


async def lock_session(connection: Connection, family_digest: bytes, digest: bytes) -> KnownSession | None:
    """The session, ended or not, of any refresh token it ever had; held until the transaction ends.

    Tokens of the release before name no family: they are known while newest or next to it.
    """
    row = await connection.fetchrow(
        """
        SELECT s.session_id, s.account_id, a.is_operator, s.create_time, s.rotate_time, s.expire_time, s.end_time,
               CASE WHEN s.refresh_digest = ANY (s.current_digests) THEN s.current_digests ELSE array[s.refresh_digest] END
                   AS current,
               CASE WHEN s.refresh_digest = ANY (s.current_digests) THEN s.previous_digests
                    ELSE array_remove(array[s.previous_refresh_digest], NULL) END AS previous
        FROM sessions s JOIN accounts a USING (account_id)
        WHERE s.session_id = (
            SELECT session_id FROM sessions WHERE family_digest = $1
            UNION ALL SELECT session_id FROM sessions WHERE refresh_digest = $2
            UNION ALL SELECT session_id FROM sessions WHERE previous_refresh_digest = $2
            LIMIT 1)
        FOR UPDATE OF s
        """,
        family_digest,
        digest,
    )
    if row is None:
        return None
    return KnownSession(
        Session(row["session_id"], row["account_id"], row["is_operator"]),
        row["create_time"],
        Family(row["current"], row["previous"], row["rotate_time"], row["expire_time"], row["end_time"]),
    )


async def rotate_session(
    connection: Connection,
    session_id: UUID,
    family_digest: bytes,
    shown: bytes,
    next_digest: bytes,
    now: datetime,
    expire_time: datetime,
) -> None:
    """Begins the next generation of refresh tokens with one; those that were newest are the previous ones."""
    await connection.execute(
        """
        UPDATE sessions SET family_digest = $2, previous_refresh_digest = $3, refresh_digest = $4,
            previous_digests = CASE WHEN refresh_digest = ANY (current_digests) THEN current_digests ELSE array[$3::bytea] END,
            current_digests = array[$4::bytea], rotate_time = $5, expire_time = $6
        WHERE session_id = $1
        """,
        session_id,
        family_digest,
        shown,
        next_digest,
        now,
        expire_time,
    )


async def add_sibling(connection: Connection, session_id: UUID, next_digest: bytes, most: int) -> None:
    """Adds one to the newest refresh tokens; of more than `most` the oldest goes."""
    await connection.execute(
        """
        UPDATE sessions SET refresh_digest = $2,
            current_digests = (current_digests || $2::bytea)[greatest(1, cardinality(current_digests) + 2 - $3):]
        WHERE session_id = $1
        """,
        session_id,
        next_digest,
        most,
    )


async def end_session(connection: Connection, session_id: UUID, now: datetime) -> bool:
    """Ends a session; False when it had ended already."""
    status = await connection.execute(
        "UPDATE sessions SET end_time = $2 WHERE session_id = $1 AND end_time IS NULL", session_id, now
    )
    return status == "UPDATE 1"


async def count_wrong_code(connection: Connection, session_id: UUID) -> int:
    """One more wrong code of a session; how many there are since the last right one."""
    count: int = await connection.fetchval(
        "UPDATE sessions SET wrong_codes = wrong_codes + 1 WHERE session_id = $1 RETURNING wrong_codes", session_id
    )
    return count


async def forgive_wrong_codes(connection: Connection, session_id: UUID) -> None:
    """A right code of a session was used."""
    await connection.execute("UPDATE sessions SET wrong_codes = 0 WHERE session_id = $1 AND wrong_codes > 0", session_id)


async def is_known_address(connection: Connection, login: str, address_digest: bytes) -> bool:
    """Whether a login was signed in from an address not long ago."""
    known: bool = await connection.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM sessions s JOIN accounts a USING (account_id) WHERE a.login = $1 AND s.address_digest = $2)
        """,
        login,
        address_digest,
    )
    return known


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
