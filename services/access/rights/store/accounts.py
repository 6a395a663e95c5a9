"""Accounts, failed sign-ins, and whose an account is."""

# ruff: noqa: S608 - the statements are composed of constants of this room and of chassis/sight.py

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis import sight
from chassis.db import Connection
from services.access.rights.rules.callers import Place
from services.access.rights.rules.sign_in import Attempts


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


async def lock_attempts(connection: Connection, digests: Sequence[bytes], now: datetime) -> dict[bytes, Attempts]:
    """Attempts by digests of what they are counted for, locked until the transaction ends, in one order. In `db.region`."""
    rows = await connection.fetch(
        """
        INSERT INTO sign_in_failures (login_digest, fail_times, update_time)
        SELECT digest, '{}', $2 FROM unnest($1::bytea[]) AS digest ORDER BY digest
        ON CONFLICT (login_digest) DO UPDATE SET update_time = $2 RETURNING login_digest, fail_times, pending_times
        """,
        digests,
        now,
    )
    return {row["login_digest"]: Attempts(row["fail_times"], row["pending_times"]) for row in rows}


async def save_attempts(connection: Connection, attempts: Mapping[bytes, Attempts]) -> None:
    """Replaces the times. In `db.region`, after `lock_attempts`."""
    for digest, known in attempts.items():
        await connection.execute(
            "UPDATE sign_in_failures SET fail_times = $2, pending_times = $3 WHERE login_digest = $1",
            digest,
            known.fail_times,
            known.pending_times,
        )


async def replace_password(connection: Connection, account_id: UUID, kept: str, password_hash: str) -> None:
    """Keeps the same password otherwise hashed, unless another was set meanwhile. In `db.region`."""
    await connection.execute(
        "UPDATE accounts SET password_hash = $3 WHERE account_id = $1 AND password_hash = $2", account_id, kept, password_hash
    )


async def delete_old_failures(connection: Connection, before: datetime) -> None:
    """Forgets failures that no longer count. In `db.region`."""
    await connection.execute("DELETE FROM sign_in_failures WHERE update_time < $1", before)


async def find_own_person(
    connection: Connection, school_id: UUID, student_id: UUID, account_id: UUID, now: datetime
) -> UUID | None:
    """The person of an account that sees a student as family now; None for anybody else."""
    person_id: UUID | None = await connection.fetchval(
        f"""
        SELECT h.person_id FROM account_people h
        WHERE h.school_id = $1 AND h.account_id = $3 AND EXISTS (
            SELECT FROM relations r
            WHERE r.school_id = $1 AND r.account_id = $3 AND {sight.sees_student("$2")} AND {sight.is_open("$4")})
        """,
        school_id,
        student_id,
        account_id,
        now,
    )
    return person_id


async def is_person(connection: Connection, school_id: UUID, account_id: UUID) -> bool:
    """Whether an account belongs to a person of the school, with whatever place in it."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM account_people WHERE school_id = $1 AND account_id = $2)", school_id, account_id
    )
    return found


async def get_person_id(connection: Connection, school_id: UUID, account_id: UUID) -> UUID:
    """The person of an account that has one in the school."""
    person_id: UUID = await connection.fetchval(
        "SELECT person_id FROM account_people WHERE school_id = $1 AND account_id = $2", school_id, account_id
    )
    return person_id


async def list_logins(connection: Connection, start: str) -> list[str]:
    """All logins of the region that begin so; `start` is of the letters of logins."""
    # Above every character of a login.
    rows = await connection.fetch("SELECT login FROM accounts WHERE login >= $1 AND login < $1 || '{'", start)
    return [row["login"] for row in rows]


async def insert_account(connection: Connection, school_id: UUID, person_id: UUID, login: str, now: datetime) -> UUID | None:
    """An account without an own password for a person who has none; None when the login was taken meanwhile."""
    account_id: UUID | None = await connection.fetchval(
        "INSERT INTO accounts (login, create_time) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING account_id", login, now
    )
    if account_id is not None:
        await connection.execute(
            "INSERT INTO account_people (account_id, school_id, person_id) VALUES ($1, $2, $3)",
            account_id,
            school_id,
            person_id,
        )
    return account_id
