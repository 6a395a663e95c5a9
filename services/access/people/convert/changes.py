"""Which entries of the roster changed, as events."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from diary.access.v1 import (
    events_pb2,
    roster_pb2,
)

_IDS_AN_EVENT = 500


def roster_changed(
    school_id: UUID, kind: roster_pb2.RosterKind.ValueType, ids: Sequence[UUID]
) -> Iterator[events_pb2.RosterChanged]:
    """Events that name changed entries of the roster."""
    for start in range(0, len(ids), _IDS_AN_EVENT):
        yield events_pb2.RosterChanged(
            school_id=str(school_id), kind=kind, ids=[str(entry_id) for entry_id in ids[start : start + _IDS_AN_EVENT]]
        )
