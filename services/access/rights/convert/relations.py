"""Relations as entries of the roster, and their events."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from chassis.relations import Relation, write_relation
from diary.access.v1 import (
    events_pb2,
    roster_pb2,
)
from services.access.people.convert.changes import roster_changed


def relations_changed(school_id: UUID, relation_ids: Sequence[UUID]) -> Iterator[events_pb2.RosterChanged]:
    """Events that name changed relations."""
    return roster_changed(school_id, roster_pb2.ROSTER_KIND_RELATION, relation_ids)


def relation_entry(relation: Relation) -> roster_pb2.RosterEntry:
    """A relation as the other services keep it."""
    return roster_pb2.RosterEntry(relation=write_relation(relation))
