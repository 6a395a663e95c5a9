"""Second factors of accounts. In `db.region`."""

from datetime import datetime
from uuid import UUID

from chassis.db import Connection
from services.access.rights.rules.second_factors import SecondFactor


async def lock_factor(connection: Connection, account_id: UUID) -> SecondFactor | None:
    """The account's, held until the transaction ends, so that each code counts once."""
    row = await connection.fetchrow(
        """
        SELECT secret, confirm_time IS NOT NULL AS is_confirmed, last_step, last_request, fail_times
        FROM second_factors WHERE account_id = $1 FOR UPDATE
        """,
        account_id,
    )
    return SecondFactor(**row) if row else None


async def has_confirmed(connection: Connection, account_id: UUID) -> bool:
    """Whether the account's counts."""
    statement = "SELECT EXISTS (SELECT FROM second_factors WHERE account_id = $1 AND confirm_time IS NOT NULL)"
    return bool(await connection.fetchval(statement, account_id))


async def save_secret(connection: Connection, account_id: UUID, secret: str, now: datetime) -> None:
    """A new secret, sealed, in place of one that was not confirmed. Wrong codes stay counted."""
    await connection.execute(
        """
        INSERT INTO second_factors (account_id, secret, enrol_time) VALUES ($1, $2, $3)
        ON CONFLICT (account_id) DO UPDATE SET secret = excluded.secret, enrol_time = excluded.enrol_time, last_step = 0
        WHERE second_factors.confirm_time IS NULL
        """,
        account_id,
        secret,
        now,
    )


async def use_step(connection: Connection, account_id: UUID, step: int, now: datetime, request: bytes | None) -> None:
    """Notes that the code of a step was used, which confirms the secret; and by which request, where it may be repeated."""
    await connection.execute(
        """
        UPDATE second_factors SET last_step = $2, last_request = $4, confirm_time = coalesce(confirm_time, $3)
        WHERE account_id = $1
        """,
        account_id,
        step,
        now,
        request,
    )


async def save_failures(connection: Connection, account_id: UUID, fail_times: list[datetime]) -> None:
    """Replaces the times of wrong codes at sign-in."""
    await connection.execute("UPDATE second_factors SET fail_times = $2 WHERE account_id = $1", account_id, fail_times)


async def list_unsealed(connection: Connection, prefix: str, after: UUID, most: int) -> list[tuple[UUID, str]]:
    """Accounts above `after` whose secret is not kept under `prefix`, that of the present key, with what is kept."""
    rows = await connection.fetch(
        """
        SELECT account_id, secret FROM second_factors WHERE account_id > $2 AND NOT starts_with(secret, $1)
        ORDER BY account_id LIMIT $3
        """,
        prefix,
        after,
        most,
    )
    return [(row["account_id"], row["secret"]) for row in rows]


async def replace_secret(connection: Connection, account_id: UUID, kept: str, sealed: str) -> None:
    """Keeps the same secret otherwise sealed, unless another was made meanwhile."""
    await connection.execute(
        "UPDATE second_factors SET secret = $3 WHERE account_id = $1 AND secret = $2", account_id, kept, sealed
    )
