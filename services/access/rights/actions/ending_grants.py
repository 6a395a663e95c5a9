"""Ends accesses here, with their relations and events; the other services are told by endings.py."""

from collections.abc import Sequence
from itertools import chain
from uuid import UUID

from chassis import outbox
from chassis.clock import Clock
from chassis.db import Connection
from services.access.people.store import schools
from services.access.rights.actions.relations import write_relations
from services.access.rights.convert import grants as convert
from services.access.rights.rules.grants import Ending
from services.access.rights.rules.relations import derive_from_grant
from services.access.rights.store import grants, relations


async def end_grants(connection: Connection, clock: Clock, school_id: UUID, grant_ids: Sequence[UUID], ending: Ending) -> None:
    """Ends locked open grants now and queues their endings for the other services.

    In the caller's transaction, in `db.school`; what the grants stood on is written before, so that their relations end right.
    """
    await grants.end_grants(connection, school_id, grant_ids, clock.now(), ending)
    zone = await schools.get_time_zone(connection, school_id)
    ended = await relations.get_grant_facts(connection, school_id, grant_ids)
    derived = chain.from_iterable(derive_from_grant(fact, zone) for fact in ended)
    await write_relations(connection, clock, school_id, list(derived))
    for fact in ended:
        await outbox.add(connection, clock, convert.grant_ended(school_id, fact), school_id)
