"""Carries endings to the other services: from the call that ended something, and from the job that does not give up."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis import outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import Unavailable
from chassis.relations import EndedSession, Relation
from services.access.rights.convert import sessions as convert
from services.access.rights.store import accounts, pushes, relations, sessions
from services.access.rights.store.pushes import Push

_FIRST = UUID(int=0)
# A request of ApplyRelations holds at most so many relations or sessions.
BATCH = 500

# Sends relations of a school (None: sessions only) to one service; true when it has committed them.
Send = Callable[[UUID | None, Sequence[Relation], Sequence[EndedSession]], Awaitable[bool]]


@dataclass(frozen=True)
class _Request:
    """What goes to one target at once, and the pushes that are done when it has confirmed."""

    target: str
    school_id: UUID | None
    relations: Sequence[Relation]
    sessions: Sequence[EndedSession]
    push_ids: Sequence[int]


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
        """Sends pushes to all targets at once, BATCH a request; returns the targets that did not confirm every one."""
        requests = [
            request for school_id in {push.school_id for push in waiting} for request in await self._plan(school_id, waiting)
        ]
        results = await asyncio.gather(
            *(self._targets[request.target](request.school_id, request.relations, request.sessions) for request in requests)
        )
        confirmed = {
            push_id for request, is_sent in zip(requests, results, strict=True) if is_sent for push_id in request.push_ids
        }
        if confirmed:
            async with self._database.jobs() as connection:
                await pushes.delete_pushes(connection, list(confirmed))
        return {push.target for push in waiting if push.push_id not in confirmed}

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

    async def _plan(self, school_id: UUID | None, waiting: Sequence[Push]) -> list[_Request]:
        """The requests of a school (of None, the sessions'). A push counts as sent with a request that holds what it ended."""
        by_ended: dict[UUID, list[Push]] = defaultdict(list)
        for push in waiting:
            if push.school_id == school_id and (ended := push.relation_id or push.session_id):
                by_ended[ended].append(push)
        requests = []
        for chunk in _chunks(list(by_ended)):
            found, ended_sessions = await self._load(school_id, chunk)
            # A session that has been forgotten ran out long before: there is nothing left to send of it.
            held = [relation.relation_id for relation in found] if school_id else chunk
            pushes_of: dict[str, list[int]] = defaultdict(list)
            for push in (push for ended in held for push in by_ended[ended]):
                pushes_of[push.target].append(push.push_id)
            requests += [_Request(target, school_id, found, ended_sessions, ids) for target, ids in pushes_of.items()]
        return requests

    async def _load(self, school_id: UUID | None, ids: Sequence[UUID]) -> tuple[list[Relation], list[EndedSession]]:
        """What is to be sent of a school, as it now is; of None, the sessions."""
        if school_id is None:
            async with self._database.region() as connection:
                return [], await sessions.list_ended_sessions(connection, ids)
        async with self._database.school(school_id) as connection:
            return await relations.list_relations(connection, school_id, ids, _FIRST, len(ids)), []


def _chunks(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]
