"""Between protobuf and dataclasses."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from diary.access.v1 import events_pb2, roster_service_pb2

_IDS_AN_EVENT = 500


def relations_changed(school_id: UUID, relation_ids: Sequence[UUID]) -> Iterator[events_pb2.RosterChanged]:
    """Events that name changed relations."""
    for start in range(0, len(relation_ids), _IDS_AN_EVENT):
        yield events_pb2.RosterChanged(
            school_id=str(school_id),
            kind=roster_service_pb2.ROSTER_KIND_RELATION,
            ids=[str(relation_id) for relation_id in relation_ids[start : start + _IDS_AN_EVENT]],
        )
