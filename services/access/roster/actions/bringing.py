"""An operator brings a school's bundle: its import is made, planned, confirmed and written by the command's own hands.

What a killed command left on its way is gone on with when the same bundle is brought again, or by the service.
"""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID, uuid4

from chassis.clock import Clock
from chassis.imports import Import, ImportRefusedError, LostError, Problem, State, acts, is_over
from chassis.imports import store as imports
from chassis.quarantine import Quarantine
from services.access.roster.actions.imports import ONEROSTER
from services.access.roster.convert.bundles import write_wish
from services.access.roster.rules.rosters import Wish
from services.access.roster.store import imported_ids

_LINES_AT_ONCE = 1000


class Bringing:
    """Brings bundles as the owner of the tables, who may make schools."""

    def __init__(self, enter: acts.Enter, clock: Clock) -> None:
        self._enter = enter
        self._clock = clock
        self._quarantine = Quarantine(ONEROSTER.bounds)

    async def bring(self, file_name: str, body: bytes, wish: Wish, *, is_plan_only: bool) -> Sequence[str]:
        """What to tell the operator: what was done, or would be. Raises ImportRefusedError."""
        async with self._enter() as connection, connection.transaction():
            school_id = await imported_ids.find_school(connection, wish.code.strip()) or uuid4()
            made = await acts.create(
                connection, self._clock, ONEROSTER, school_id, file_name, body, write_wish(wish), is_held=True
            )
        planned = await self._carry(made)
        if is_plan_only:
            return await self._list_changes(planned)
        if planned.state is State.PLANNED:
            # Another command with the same bundle may have said it already.
            with suppress(LostError):
                async with self._enter() as connection, connection.transaction():
                    await acts.confirm(connection, self._clock, planned, None, is_held=True)
            planned = await self._carry(await self._get(planned.school_id, planned.import_id))
        return planned.summary

    async def _carry(self, made: Import) -> Import:
        """On to its plan or its end. Raises ImportRefusedError."""
        if made.state is not State.PLANNED and not is_over(made.state):
            await acts.carry_on(self._enter, self._clock, self._quarantine, ONEROSTER, made.claim)
        carried = await self._get(made.school_id, made.import_id)
        if carried.state is State.REFUSED:
            async with self._enter() as connection:
                raise ImportRefusedError(await imports.list_problems(connection, made.school_id, made.import_id))
        if carried.state is not State.PLANNED and not is_over(carried.state):
            what, mend = "эту выгрузку уже загружает другой", "повторите через несколько минут"
            raise ImportRefusedError([Problem(made.file_name, 0, "", what, mend)])
        return carried

    async def _get(self, school_id: UUID, import_id: UUID) -> Import:
        async with self._enter() as connection:
            return await imports.get_import(connection, school_id, import_id)

    async def _list_changes(self, planned: Import) -> list[str]:
        told: list[str] = []
        async with self._enter() as connection:
            while page := await imports.list_changes(
                connection, planned.school_id, planned.import_id, len(told), _LINES_AT_ONCE
            ):
                told += [f"{number}. {change}" for number, _, change in page]
        return told or ["изменений нет"]
