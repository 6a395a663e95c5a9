"""Accounts, failed sign-ins, and where an account has a place."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.db import Connection
from services.access.rules.callers import Place


@dataclass(frozen=True, slots=True)
class Account:
    """An account as sign-in needs it. Before activation `password_hash` is of the live one-time password, None without one."""

    account_id: UUID
    password_hash: str | None
    is_operator: bool
    is_activated: bool


async def find_account(connection: Connection, login: str, now: datetime) -> Account | None:
    """The account of a lower-case login. In `db.region`."""
    row = await connection.fetchrow(
        """
        SELECT a.account_id, coalesce(a.password_hash, o.password_hash) AS password_hash, a.is_operator, a.is_activated
        FROM accounts a
        LEFT JOIN one_time_passwords o ON o.account_id = a.account_id AND o.void_time IS NULL AND o.expire_time > $2
        WHERE a.login = $1
        """,
        login,
        now,
    )
    return Account(**row) if row else None


async def list_places(connection: Connection, account_id: UUID) -> list[Place]:
    """Schools where the account has a person, by name. In `db.region`."""
    rows = await connection.fetch(
        """
        SELECT s.school_id, s.name AS school_name, s.time_zone, p.person_id
        FROM account_people p JOIN schools s USING (school_id) WHERE p.account_id = $1 ORDER BY s.name COLLATE "C", s.school_id
        """,
        account_id,
    )
    return [Place(**row) for row in rows]


async def lock_failures(connection: Connection, login_digest: bytes, now: datetime) -> list[datetime]:
    """Times of failed sign-ins of a login, known or not, locked until the transaction ends. In `db.region`."""
    times: list[datetime] = await connection.fetchval(
        """
        INSERT INTO sign_in_failures (login_digest, fail_times, update_time) VALUES ($1, '{}', $2)
        ON CONFLICT (login_digest) DO UPDATE SET update_time = $2 RETURNING fail_times
        """,
        login_digest,
        now,
    )
    return times


async def save_failures(connection: Connection, login_digest: bytes, fail_times: list[datetime]) -> None:
    """Replaces the times. In `db.region`."""
    await connection.execute("UPDATE sign_in_failures SET fail_times = $2 WHERE login_digest = $1", login_digest, fail_times)


async def delete_failures(connection: Connection, login_digest: bytes) -> None:
    """Forgets the failures of a login that has signed in. In `db.region`."""
    await connection.execute("DELETE FROM sign_in_failures WHERE login_digest = $1", login_digest)


async def delete_old_failures(connection: Connection, before: datetime) -> None:
    """Forgets failures that no longer count. In `db.region`."""
    await connection.execute("DELETE FROM sign_in_failures WHERE update_time < $1", before)
