"""Asks for an account's second factor: at sign-in where one is confirmed, and again at a signature.

Wrong codes are counted under the factor's own lock and committed before the refusal, by whoever gave them: those of a stolen
session keep nobody else out (decision 0112).
"""

from uuid import UUID

from chassis.clock import Clock
from chassis.db import Connection, Database
from chassis.errors import Unauthenticated
from services.access.rights.actions.factor_keys import FactorKeys
from services.access.rights.actions.sign_in import address_digest, end_session
from services.access.rights.rules.second_factors import (
    ACCOUNT_CODES,
    SESSION_CODES,
    CodeOutcome,
    SecondFactor,
    count_failure,
    find_step,
    is_repeated,
    is_used,
    require_confirmed,
    require_right,
    require_unblocked,
)
from services.access.rights.rules.sign_in import FAILURES, Attempts
from services.access.rights.store import accounts, sessions
from services.access.rights.store import second_factors as store


class SecondFactors:
    """Uses up codes."""

    def __init__(self, database: Database, clock: Clock, keys: FactorKeys) -> None:
        self._database = database
        self._clock = clock
        self.keys = keys

    async def ask_where_confirmed(self, account_id: UUID, login: str, address: str, code: str) -> None:
        """Uses up the code of an account that has a second factor, at a sign-in from an address.

        Raises Unauthenticated CODE_MISSING, CODE_WRONG, ResourceExhausted CODE_BLOCKED.
        """
        async with self._database.region() as connection, connection.transaction():
            factor = await store.lock_factor(connection, account_id)
            if factor is None or not factor.is_confirmed:
                return
            if not code:
                raise Unauthenticated("CODE_MISSING", "the account has a second factor: a one-time code is needed")
            outcome = await self._use_at_sign_in(connection, account_id, login, address, factor, code)
        require_right(outcome)

    async def ask_again(self, session_id: UUID, account_id: UUID, code: str, request: bytes) -> None:
        """Uses up a code of who is signed in, for the request of a digest: its repeats pass by the same code, and whoever
        calls then finds the answer that was kept. Raises FailedPrecondition TOTP_NOT_ENROLLED, Unauthenticated CODE_WRONG,
        SESSION_ENDED_BY_CODES, SESSION_ENDED.
        """
        async with self._database.region() as connection, connection.transaction():
            factor = require_confirmed(await store.lock_factor(connection, account_id))
            outcome = await self.use(connection, session_id, account_id, factor, code, request)
        require_right(outcome)

    async def use(
        self, connection: Connection, session_id: UUID, account_id: UUID, factor: SecondFactor, code: str, request: bytes
    ) -> CodeOutcome:
        """Uses up a right code; a wrong one counts for the session, which the last of few ends. Whoever calls commits either,
        then refuses. With the factor locked: so of many codes at once no more are looked at than in turn.
        """
        now = self._clock.now()
        if await sessions.find_holder(connection, session_id, account_id, now) is None:
            raise Unauthenticated("SESSION_ENDED", "the session is over; sign in again")
        secret = self.keys.open(factor.secret, account_id)
        step = find_step(factor, secret, code, now)
        if step is not None:
            await store.use_step(connection, account_id, step, now, request)
            await sessions.forgive_wrong_codes(connection, session_id)
            return CodeOutcome.RIGHT
        if is_repeated(factor, secret, code, request, now):
            return CodeOutcome.RIGHT
        if is_used(factor, secret, code, now):
            return CodeOutcome.WRONG
        if await sessions.count_wrong_code(connection, session_id) < SESSION_CODES:
            return CodeOutcome.WRONG
        await end_session(connection, self._clock, account_id, session_id)
        return CodeOutcome.LAST

    async def _use_at_sign_in(
        self, connection: Connection, account_id: UUID, login: str, address: str, factor: SecondFactor, code: str
    ) -> CodeOutcome:
        """As passwords are counted: few from an address, more from everywhere, but for where the login was signed in before."""
        now, pair = self._clock.now(), address_digest(f"code {login}", address)
        known = (await accounts.lock_attempts(connection, [pair], now))[pair]
        require_unblocked(known.fail_times, FAILURES, now)
        if not await sessions.is_known_address(connection, login, address_digest(login, address)):
            require_unblocked(factor.fail_times, ACCOUNT_CODES, now)
        secret = self.keys.open(factor.secret, account_id)
        step = find_step(factor, secret, code, now)
        if step is not None:
            await store.use_step(connection, account_id, step, now, None)
            await accounts.save_attempts(connection, {pair: Attempts()})
            return CodeOutcome.RIGHT
        if is_used(factor, secret, code, now):
            return CodeOutcome.WRONG
        await accounts.save_attempts(connection, {pair: Attempts(count_failure(known.fail_times, now))})
        await store.save_failures(connection, account_id, count_failure(factor.fail_times, now))
        return CodeOutcome.WRONG
