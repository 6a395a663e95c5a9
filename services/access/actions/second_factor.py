"""Asks for an account's second factor: at sign-in where one is confirmed, and again at a signature."""

from uuid import UUID

from chassis.clock import Clock
from chassis.db import Database
from services.access.rules.second_factors import check_code, require_confirmed
from services.access.store import second_factors as store


async def ask_where_confirmed(database: Database, clock: Clock, account_id: UUID, code: str) -> None:
    """Uses up the code of an account that has a second factor. Raises Unauthenticated CODE_MISSING, CODE_WRONG."""
    async with database.region() as connection, connection.transaction():
        factor = await store.lock_factor(connection, account_id)
        if factor is not None and factor.is_confirmed:
            await store.use_step(connection, account_id, check_code(factor, code, clock.now()), clock.now())


async def ask_again(database: Database, clock: Clock, account_id: UUID, code: str) -> None:
    """Uses up a code. Raises FailedPrecondition TOTP_NOT_ENROLLED, Unauthenticated CODE_WRONG."""
    async with database.region() as connection, connection.transaction():
        factor = require_confirmed(await store.lock_factor(connection, account_id))
        await store.use_step(connection, account_id, check_code(factor, code, clock.now()), clock.now())
