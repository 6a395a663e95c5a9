"""Ends accesses here, with their relations and events; the other services are told by actions/endings.py."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from uuid import UUID

from chassis import outbox
from chassis.clock import Clock
from chassis.db import Connection
from services.access import convert
from services.access.actions.relations import write_relations
from services.access.rules.grants import Ending
from services.access.rules.relations import GrantFact, derive_from_grant
from services.access.store import grants


async def end_grants(
    connection: Connection, clock: Clock, school_id: UUID, facts: Sequence[GrantFact], ending: Ending
) -> list[GrantFact]:
    """Ends locked open grants now and queues their endings for the other services; returns them ended.

    In the caller's transaction, in `db.school`.
    """
    now = clock.now()
    ended = [replace(fact, end_time=now) for fact in facts]
    await grants.end_grants(connection, school_id, [fact.fact_id for fact in ended], now, ending)
    await write_relations(connection, clock, school_id, list(chain.from_iterable(map(derive_from_grant, ended))))
    for fact in ended:
        await outbox.add(connection, clock, convert.grant_ended(school_id, fact), school_id)
    return ended
