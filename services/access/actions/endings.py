"""Carries endings to the other services: from the call that ended something, and from the job that does not give up."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from chassis.db import Database
from chassis.errors import Unavailable
from chassis.relations import EndedSession, Relation
from services.access.store import pushes, relations, sessions
from services.access.store.pushes import Push

_FIRST = UUID(int=0)
# A request of ApplyRelations holds at most so many relations.
BATCH = 500

# Sends relations of a school (None: sessions only) to one service; true when it has committed them.
Send = Callable[[UUID | None, Sequence[Relation], Sequence[EndedSession]], Awaitable[bool]]


class Endings:
    """Pushes ended relations and sessions to their targets."""

    def __init__(self, database: Database, targets: Mapping[str, Send]) -> None:
        self._database = database
        self._targets = targets

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

    async def _load(self, school_id: UUID | None, waiting: Sequence[Push]) -> tuple[list[Relation], list[EndedSession]]:
        """What is to be sent of a school, as it now is; of None, the sessions."""
        if school_id is None:
            async with self._database.region() as connection:
                ids = [push.session_id for push in waiting if push.session_id is not None]
                return [], await sessions.list_ended_sessions(connection, ids)
        async with self._database.school(school_id) as connection:
            ids = [push.relation_id for push in waiting if push.school_id == school_id and push.relation_id is not None]
            return await relations.list_relations(connection, school_id, ids, _FIRST, BATCH), []
