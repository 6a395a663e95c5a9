"""What the journal learns from the roster of access, by events and by a rebuild."""

from __future__ import annotations

from uuid import UUID

from chassis.db import Connection
from chassis.projection import Entries, Kinds
from diary.access.v1 import roster_pb2
from services.journal.roster import actions
from services.journal.roster.convert import read_entries


async def _write(connection: Connection, school_id: UUID, entries: Entries) -> None:
    await actions.apply_entries(connection, school_id, read_entries(entries))


# Classes before courses, relations last: whoever may see something finds it there.
KINDS: Kinds = dict.fromkeys(
    (
        roster_pb2.ROSTER_KIND_SCHOOL,
        roster_pb2.ROSTER_KIND_CLASS,
        roster_pb2.ROSTER_KIND_STUDENT,
        roster_pb2.ROSTER_KIND_STUDY_GROUP,
        roster_pb2.ROSTER_KIND_RELATION,
    ),
    _write,
)
