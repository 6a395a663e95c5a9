"""Asks for an account's second factor: at sign-in where one is confirmed, and again at a signature.

Wrong codes are counted under the factor's own lock and committed before the refusal, whatever asked.
"""

from uuid import UUID

from chassis.clock import Clock
from chassis.db import Connection, Database
from chassis.errors import Unauthenticated
from services.access.actions.factor_keys import FactorKeys
from services.access.rules.second_factors import (
    SecondFactor,
    count_failure,
    find_step,
    require_confirmed,
    require_unblocked,
)
from services.access.store import second_factors as store


class SecondFactors:
    """Uses up codes. Each raises ResourceExhausted CODE_BLOCKED after too many wrong ones."""

    def __init__(self, database: Database, clock: Clock, keys: FactorKeys) -> None:
        self._database = database
        self._clock = clock
        self.keys = keys

    async def ask_where_confirmed(self, account_id: UUID, code: str) -> None:
        """Uses up the code of an account that has a second factor. Raises Unauthenticated CODE_MISSING, CODE_WRONG."""
        async with self._database.region() as connection, connection.transaction():
            factor = await store.lock_factor(connection, account_id)
            if factor is None or not factor.is_confirmed:
                return
            if not code:
                raise Unauthenticated("CODE_MISSING", "the account has a second factor: a one-time code is needed")
            is_right = await self.use(connection, account_id, factor, code)
        require_right(is_right)

    async def ask_again(self, account_id: UUID, code: str) -> None:
        """Uses up a code. Raises FailedPrecondition TOTP_NOT_ENROLLED, Unauthenticated CODE_WRONG."""
        async with self._database.region() as connection, connection.transaction():
            factor = require_confirmed(await store.lock_factor(connection, account_id))
            is_right = await self.use(connection, account_id, factor, code)
        require_right(is_right)

    async def use(self, connection: Connection, account_id: UUID, factor: SecondFactor, code: str) -> bool:
        """Uses up a right code and counts a wrong one: whoever calls commits either, then refuses. With the factor locked."""
        now = self._clock.now()
        require_unblocked(factor, now)
        step = find_step(factor, self.keys.open(factor.secret, account_id), code, now)
        if step is None:
            await store.save_failures(connection, account_id, count_failure(factor, now))
        else:
            await store.use_step(connection, account_id, step, now)
        return step is not None


def require_right(is_right: bool) -> None:
    """Raises Unauthenticated CODE_WRONG."""
    if not is_right:
        raise Unauthenticated("CODE_WRONG", "the one-time code is wrong, too old, or was used already")
