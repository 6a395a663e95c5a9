"""Brings relations in line with the facts they come from."""

from collections.abc import Sequence
from itertools import chain
from uuid import UUID

from chassis import outbox
from chassis.clock import Clock
from chassis.db import Connection
from chassis.relations import Relation
from services.access.people.store import schools
from services.access.rights.convert import relations as convert
from services.access.rights.rules import relations as rules
from services.access.rights.store import pushes
from services.access.rights.store import relations as store

# Persons a statement: bounds memory in a bulk load, never cuts an ordinary change.
_BATCH = 5000


async def derive_relations(connection: Connection, clock: Clock, school_id: UUID, person_ids: Sequence[UUID]) -> list[Relation]:
    """Derives again all relations of persons of a school: as family, staff and teachers. Returns the changed.

    In the caller's transaction, in `db.school` or as the owner in a seed. Called after every change of grants, appointments,
    teachings or of a person's account.
    """
    zone = await schools.get_time_zone(connection, school_id)
    changed: list[Relation] = []
    for start in range(0, len(person_ids), _BATCH):
        derived = await _derive(connection, school_id, zone, person_ids[start : start + _BATCH])
        changed += await write_relations(connection, clock, school_id, derived)
    return changed


async def write_relations(
    connection: Connection, clock: Clock, school_id: UUID, derived: Sequence[rules.DerivedRelation]
) -> list[Relation]:
    """Writes the relations that changed, with RosterChanged events of at most 500 ids, and queues those that have an end
    for the other services. Returns the changed.
    """
    # In one order, so that two who write the same relations do not lock each other out.
    changed = await store.save_relations(connection, school_id, sorted(derived, key=lambda r: (r.fact_id, r.kind)))
    for message in convert.relations_changed(school_id, [relation.relation_id for relation in changed]):
        await outbox.add(connection, clock, message, school_id)
    now = clock.now()
    # A relation that is new was known to nobody, so its end need not be pushed. An end that lies ahead is pushed too: it then
    # comes by itself, whatever becomes of the events.
    ended = [r.relation_id for r in changed if r.version > 1 and r.valid_to_time is not None]
    if ended:
        await pushes.insert_relation_pushes(connection, school_id, ended, now)
    return changed


async def _derive(
    connection: Connection, school_id: UUID, zone: str, person_ids: Sequence[UUID]
) -> list[rules.DerivedRelation]:
    grants = await store.lock_grant_facts(connection, school_id, person_ids)
    appointments = await store.lock_appointment_facts(connection, school_id, person_ids)
    teachings = await store.lock_teaching_facts(connection, school_id, person_ids)
    return list(
        chain(
            chain.from_iterable(rules.derive_from_grant(fact, zone) for fact in grants),
            chain.from_iterable(rules.derive_from_appointment(fact, school_id, zone) for fact in appointments),
            chain.from_iterable(rules.derive_from_teaching(fact, zone) for fact in teachings),
        )
    )
