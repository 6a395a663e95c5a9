"""What the journal learns from the events of others."""

from __future__ import annotations

from uuid import UUID

from chassis import events
from chassis.clock import Clock
from chassis.db import Database
from diary.access.v1 import events_pb2, roster_service_pb2, roster_service_pb2_grpc
from services.journal import actions
from services.journal.convert.roster import read_entries


class Consumers:
    """Handlers of access's events."""

    def __init__(self, database: Database, clock: Clock, roster: roster_service_pb2_grpc.RosterServiceAsyncStub) -> None:
        self._database = database
        self._clock = clock
        self._roster = roster

    async def on_roster_changed(self, event: events.Event) -> None:
        """Fetches the entries that changed and writes them. Fetched before the transaction, which then waits for nobody."""
        changed = events_pb2.RosterChanged.FromString(event.payload)
        answer = await self._roster.BatchGetRoster(
            roster_service_pb2.BatchGetRosterRequest(school_id=changed.school_id, kind=changed.kind, ids=changed.ids)
        )
        async with events.once(self._database, self._clock, event) as connection:
            if connection is not None:
                await actions.apply_entries(connection, UUID(changed.school_id), read_entries(answer.entries))

    def handlers(self) -> dict[str, dict[str, events.Handler]]:
        """Handlers by publisher and subject."""
        return {"access": {events_pb2.RosterChanged.DESCRIPTOR.full_name: self.on_roster_changed}}
