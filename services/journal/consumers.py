"""What the journal learns from the events of others."""

from __future__ import annotations

from uuid import UUID

from chassis import events
from chassis.clock import Clock
from chassis.db import Database
from diary.access.v1 import events_pb2, roster_service_pb2, roster_service_pb2_grpc
from services.journal import actions
from services.journal.convert.roster import read_entries


class Consumers(events.Handlers):
    """Handlers of access's events."""

    def __init__(self, database: Database, clock: Clock, roster: roster_service_pb2_grpc.RosterServiceAsyncStub) -> None:
        super().__init__(database, clock)
        self._roster = roster

    @events.on(events_pb2.RosterChanged)
    async def on_roster_changed(self, changed: events_pb2.RosterChanged, _: events.Event) -> events.Effect:
        """Fetches the entries that changed, to write them."""
        answer = await self._roster.BatchGetRoster(
            roster_service_pb2.BatchGetRosterRequest(school_id=changed.school_id, kind=changed.kind, ids=changed.ids)
        )
        entries = read_entries(answer.entries)
        return events.Effect(lambda connection: actions.apply_entries(connection, UUID(changed.school_id), entries))
