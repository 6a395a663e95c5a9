"""What notify keeps of access's roster: who may hear of whom, and students' classes."""

from uuid import UUID

from chassis.db import Connection
from chassis.projection import Entries, Kinds, write_relations
from diary.access.v1 import roster_pb2
from services.notify.letters.convert import read_places
from services.notify.letters.store import places


async def _write_places(connection: Connection, school_id: UUID, entries: Entries) -> None:
    await places.put_students(connection, school_id, read_places(entries))


KINDS: Kinds = {
    roster_pb2.ROSTER_KIND_STUDENT: _write_places,
    roster_pb2.ROSTER_KIND_RELATION: write_relations,
}
