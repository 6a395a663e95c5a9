"""Carries endings to the other services: from the call that ended something, and from the job that does not give up."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from chassis import outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import Unavailable
from chassis.relations import EndedSession, Relation
from services.access import convert
from services.access.store import accounts, pushes, relations, sessions
from services.access.store.pushes import Push

_FIRST = UUID(int=0)
# A request of ApplyRelations holds at most so many relations.
BATCH = 500

# Sends relations of a school (None: sessions only) to one service; true when it has committed them.
Send = Callable[[UUID | None, Sequence[Relation], Sequence[EndedSession]], Awaitable[bool]]


class Endings:
    """Pushes ended relations and sessions to their targets."""

    def __init__(self, database: Database, clock: Clock, targets: Mapping[str, Send]) -> None:
        self._database = database
        self._clock = clock
        self._targets = targets

    async def confirm(self, waiting: Sequence[Push], account_ids: Sequence[UUID]) -> None:
        """Ends the sessions of those accounts that have no relation left in any school (Clause R33), and waits for them and for
        what waits already. After the commit of what ended the relations; a repeat ends nothing more.

        Raises Unavailable ENDING_PENDING.
        """
        for account_id in account_ids:
            if not await self._has_relation(account_id):
                await self._end_sessions(account_id)
        async with self._database.region() as connection:
            ended = await pushes.list_pushes_of_accounts(connection, account_ids)
        await self.wait_for([*waiting, *ended])

    async def wait_for(self, waiting: Sequence[Push]) -> None:
        """Returns when all targets have committed. Raises Unavailable ENDING_PENDING with the targets that have not."""
        missing = await self.push(waiting)
        if missing:
            names = ",".join(sorted(missing))
            raise Unavailable("ENDING_PENDING", f"ended, but not yet confirmed by {names}; repeat to wait", {"pending": names})

    async def push(self, waiting: Sequence[Push]) -> set[str]:
        """Sends at most BATCH pushes, to all targets at once; returns the targets that did not confirm."""
        groups: dict[tuple[str, UUID | None], list[Push]] = defaultdict(list)
        for push in waiting:
            groups[push.target, push.school_id].append(push)
        content = {school_id: await self._load(school_id, waiting) for school_id in {key[1] for key in groups}}
        results = await asyncio.gather(*(self._targets[target](school_id, *content[school_id]) for target, school_id in groups))
        confirmed = [push.push_id for group, is_sent in zip(groups.values(), results, strict=True) if is_sent for push in group]
        if confirmed:
            async with self._database.jobs() as connection:
                await pushes.delete_pushes(connection, confirmed)
        return {target for (target, _), is_sent in zip(groups, results, strict=True) if not is_sent}

    async def _has_relation(self, account_id: UUID) -> bool:
        async with self._database.region() as connection:
            places = await accounts.list_places(connection, account_id)
        for place in places:
            async with self._database.school(place.school_id) as connection:
                if await relations.list_roles(connection, place.school_id, account_id, self._clock.now()):
                    return True
        return False

    async def _end_sessions(self, account_id: UUID) -> None:
        now = self._clock.now()
        async with self._database.region() as connection, connection.transaction():
            for session_id in await sessions.end_sessions(connection, account_id, now):
                await pushes.insert_session_pushes(connection, session_id, now)
                await outbox.add(connection, self._clock, convert.sessions_ended(account_id, session_id), None)

    async def _load(self, school_id: UUID | None, waiting: Sequence[Push]) -> tuple[list[Relation], list[EndedSession]]:
        """What is to be sent of a school, as it now is; of None, the sessions."""
        if school_id is None:
            async with self._database.region() as connection:
                ids = [push.session_id for push in waiting if push.session_id is not None]
                return [], await sessions.list_ended_sessions(connection, ids)
        async with self._database.school(school_id) as connection:
            ids = [push.relation_id for push in waiting if push.school_id == school_id and push.relation_id is not None]
            return await relations.list_relations(connection, school_id, ids, _FIRST, BATCH), []
