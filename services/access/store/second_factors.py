"""Second factors of accounts. In `db.region`."""

from datetime import datetime
from uuid import UUID

from chassis.db import Connection
from services.access.rules.second_factors import SecondFactor


async def lock_factor(connection: Connection, account_id: UUID) -> SecondFactor | None:
    """The account's, held until the transaction ends, so that each code counts once."""
    row = await connection.fetchrow(
        """
        SELECT secret, confirm_time IS NOT NULL AS is_confirmed, last_step FROM second_factors WHERE account_id = $1 FOR UPDATE
        """,
        account_id,
    )
    return SecondFactor(**row) if row else None


async def save_secret(connection: Connection, account_id: UUID, secret: str, now: datetime) -> None:
    """A new secret, in place of one that was not confirmed."""
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


async def use_step(connection: Connection, account_id: UUID, step: int, now: datetime) -> None:
    """Notes that the code of a step was used, which confirms the secret."""
    await connection.execute(
        "UPDATE second_factors SET last_step = $2, confirm_time = coalesce(confirm_time, $3) WHERE account_id = $1",
        account_id,
        step,
        now,
    )
