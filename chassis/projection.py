"""What a service keeps of access's roster: by pushes, by events, by time, and by a rebuild.

A service names the kinds of entries that it keeps, each with what writes them: only what is of a higher version than the kept
row, so that events, pushes and a rebuild may come in any order, beside each other, and as often as they like.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from chassis import clients, events, places, relations
from chassis.auth import ACCESS_TOKEN_TIME, Caller, ServiceToken
from chassis.clock import Clock, SystemClock
from chassis.commands import opened
from chassis.db import Connection, Database
from chassis.interceptors import Context
from chassis.jobs import Job
from chassis.run import Frame
from chassis.settings import ServiceSettings
from diary.access.v1 import (
    events_pb2,
    relation_pb2,
    roster_pb2,
    roster_service_pb2,
    roster_service_pb2_grpc,
    school_service_pb2,
    school_service_pb2_grpc,
)

# An ended session is of interest while a token signed before its end may still be shown.
_ENDED_SESSION_KEEPS = ACCESS_TOKEN_TIME + timedelta(minutes=5)
_FORGET_SECONDS = 60.0
_PAGE = 500

Entries = Sequence[roster_pb2.RosterEntry]
Writer = Callable[[Connection, UUID, Entries], Awaitable[None]]
# In the order in which a rebuild reads them: relations last, so that whoever may see something finds it there.
Kinds = Mapping[roster_pb2.RosterKind.ValueType, Writer]


async def write_relations(connection: Connection, school_id: UUID, entries: Entries) -> None:
    """Writes relations, which every service keeps. In `db.school`, in a transaction."""
    await relations.apply(connection, school_id, [relations.read_relation(entry.relation) for entry in entries])


async def write_places(connection: Connection, school_id: UUID, entries: Entries) -> None:
    """Writes when students are in which class. In `db.school`, in a transaction."""
    await places.put_places(connection, school_id, [places.read_place(entry.student) for entry in entries])


class Projection(events.Handlers):
    """Keeps the kinds of entries of a service current."""

    def __init__(
        self, database: Database, clock: Clock, roster: roster_service_pb2_grpc.RosterServiceAsyncStub, kinds: Kinds
    ) -> None:
        super().__init__(database, clock)
        self._roster = roster
        self._kinds = kinds

    @events.on(events_pb2.RosterChanged)
    async def on_roster_changed(self, changed: events_pb2.RosterChanged, _: events.Event) -> events.Effect | None:
        """Keeps what changed."""
        return await self.plan(changed)

    async def plan(self, changed: events_pb2.RosterChanged) -> events.Effect | None:
        """Fetches the entries that changed, to write them; kinds that the service does not keep are not its concern."""
        if (write := self._kinds.get(changed.kind)) is None:
            return None
        entries = await self.fetch(changed.school_id, changed.kind, changed.ids)
        return events.Effect(lambda connection: write(connection, UUID(changed.school_id), entries))

    async def fetch(self, school_id: str, kind: roster_pb2.RosterKind.ValueType, ids: Iterable[str]) -> Entries:
        """Entries as access tells them now."""
        wanted = roster_service_pb2.BatchGetRosterRequest(school_id=school_id, kind=kind, ids=ids)
        return (await self._roster.BatchGetRoster(wanted)).entries

    async def has_ended(self, who: Caller) -> bool:
        """Whether the caller's session was told to have ended."""
        async with self.database.region() as connection:
            return await relations.has_ended(connection, who.session_id)

    def jobs(self) -> list[Job]:
        """What is done by time."""
        return [Job("forget_ended_sessions", _FORGET_SECONDS, self._forget_ended_sessions)]

    async def _forget_ended_sessions(self) -> None:
        """Drops ended sessions whose tokens have all run out: those of a minute."""
        async with self.database.region() as connection:
            await relations.forget_sessions(connection, self.clock.now() - _ENDED_SESSION_KEEPS)


class RelationServicer:
    """RelationService of a service: keeps the projection of who may see whom."""

    def __init__(self, frame: Frame) -> None:
        self._database = frame.database

    async def ApplyRelations(  # noqa: N802 - as its proto is called
        self, request: relation_pb2.ApplyRelationsRequest, context: Context
    ) -> relation_pb2.ApplyRelationsResponse:
        """Answers when relations and ended sessions are committed."""
        changed = [relations.read_relation(message) for message in request.relations]
        if changed:
            school_id = relations.read_school(request.school_id)
            async with self._database.school(school_id) as connection, connection.transaction():
                await self.apply(connection, school_id, changed)
        if request.ended_sessions:
            async with self._database.region() as connection:
                sessions = [relations.read_ended_session(message) for message in request.ended_sessions]
                await relations.end_sessions(connection, sessions)
        if ended := [relation for relation in changed if relation.valid_to_time is not None]:
            await self.settle(school_id, ended)
        return relation_pb2.ApplyRelationsResponse()

    async def apply(self, connection: Connection, school_id: UUID, changed: Sequence[relations.Relation]) -> None:
        """Writes relations. In a transaction."""
        await relations.apply(connection, school_id, changed)

    async def settle(self, school_id: UUID, ended: Sequence[relations.Relation]) -> None:
        """What is to be waited for after endings were committed: nothing, unless a service says what."""


def add_rebuild(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command `rebuild`."""
    parser = parsers.add_parser("rebuild", help="read the roster of access anew; access must serve")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--school", type=UUID, metavar="ID", help="only this school's; otherwise all")
    which.add_argument("--all", action="store_true", help="all schools of the region")


async def rebuild(name: str, settings: ServiceSettings, access_address: str, kinds: Kinds, school_id: UUID | None) -> None:
    """Reads the roster of one school, or of all, and writes what is of a higher version than what is kept."""
    token = ServiceToken(settings.keys_dir, name, SystemClock())
    async with (
        opened(name, settings.database_url.get_secret_value()) as database,
        clients.connect(access_address, token, seconds=30, waits=True) as access,
    ):
        roster = roster_service_pb2_grpc.RosterServiceStub(access)
        for one in [school_id] if school_id else await _list_schools(school_service_pb2_grpc.SchoolServiceStub(access)):
            entries = await rebuild_school(database, roster, kinds, one)
            print(f"rebuild: school {one}: {entries} roster entries", flush=True)


async def rebuild_school(
    database: Database, roster: roster_service_pb2_grpc.RosterServiceAsyncStub, kinds: Kinds, school_id: UUID
) -> int:
    """Reads all kinds of entries of a school page by page; returns how many came."""
    count = 0
    for kind, write in kinds.items():
        request = roster_service_pb2.ListRosterRequest(school_id=str(school_id), kind=kind, page_size=_PAGE)
        while True:
            page = await roster.ListRoster(request)
            async with database.school(school_id) as connection, connection.transaction():
                await write(connection, school_id, page.entries)
            count += len(page.entries)
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
    return count


async def _list_schools(schools: school_service_pb2_grpc.SchoolServiceAsyncStub) -> list[UUID]:
    found: list[UUID] = []
    request = school_service_pb2.ListSchoolsRequest(page_size=_PAGE)
    while True:
        page = await schools.ListSchools(request)
        found += [UUID(school.school_id) for school in page.schools]
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token
