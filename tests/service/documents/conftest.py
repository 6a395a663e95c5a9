"""documents in process, on real Postgres and NATS, with stand-ins for the journal and access and a clock that stands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
import pytest_asyncio
from pydantic import SecretStr

from chassis.auth import ServiceToken
from chassis.clients import connect
from chassis.clock import SetClock
from chassis.db import Database
from chassis.projection import Projection
from diary.access.v1 import (
    decision_service_pb2,
    decision_service_pb2_grpc,
    roster_pb2,
    roster_service_pb2,
    roster_service_pb2_grpc,
    school_pb2,
    school_service_pb2,
    school_service_pb2_grpc,
)
from diary.journal.v1 import diary_service_pb2, diary_service_pb2_grpc
from services.documents.__main__ import build
from services.documents.config import Settings
from services.documents.decisions.consumers import DecisionConsumers
from services.documents.press.actions.presses import Press
from services.documents.print_runs.consumers import KINDS, Consumers
from services.documents.register.convert.seal import Sealer, read_authority
from tests.service.documents.world import NOW, Neighbours, World, code_of
from tests.support.backends import Clone, PostgresServer
from tests.support.services import served


class _Journal(diary_service_pb2_grpc.DiaryServiceServicer):
    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours

    async def GetClassWeek(
        self,
        request: diary_service_pb2.GetClassWeekRequest,
        context: grpc.aio.ServicerContext[diary_service_pb2.GetClassWeekRequest, diary_service_pb2.GetClassWeekResponse],
    ) -> diary_service_pb2.GetClassWeekResponse:
        """The week that the test put there."""
        if self._neighbours.is_journal_away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        week = self._neighbours.weeks.get((request.class_id, request.week))
        if week is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such class")
        assert week is not None
        return week


class _Roster(roster_service_pb2_grpc.RosterServiceServicer):
    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours

    async def BatchGetRoster(
        self, request: roster_service_pb2.BatchGetRosterRequest, context: object
    ) -> roster_service_pb2.BatchGetRosterResponse:
        """A school whose code is «alek», and the entries that the test put there."""
        if request.kind == roster_pb2.ROSTER_KIND_SCHOOL:
            return roster_service_pb2.BatchGetRosterResponse(entries=[_school(request.school_id)])
        if request.kind == roster_pb2.ROSTER_KIND_CLASS:
            return roster_service_pb2.BatchGetRosterResponse(entries=[_class(class_id) for class_id in request.ids])
        found = self._neighbours.roster
        return roster_service_pb2.BatchGetRosterResponse(entries=[found[key] for key in request.ids if key in found])

    async def ListRoster(
        self, request: roster_service_pb2.ListRosterRequest, context: object
    ) -> roster_service_pb2.ListRosterResponse:
        """The entries of a kind that the test put there, one a page."""
        if request.kind == roster_pb2.ROSTER_KIND_SCHOOL:
            return roster_service_pb2.ListRosterResponse(entries=[_school(request.school_id)])
        kind = roster_pb2.RosterKind.Name(request.kind).removeprefix("ROSTER_KIND_").lower()
        entries = [entry for entry in self._neighbours.roster.values() if entry.WhichOneof("entry") == kind]
        place = int(request.page_token or 0)
        more = str(place + 1) if place + 1 < len(entries) else ""
        return roster_service_pb2.ListRosterResponse(entries=entries[place : place + 1], next_page_token=more)


def _school(school_id: str) -> roster_pb2.RosterEntry:
    school = school_pb2.School(school_id=school_id, code=code_of(school_id), name="Школа № 1", time_zone="Europe/Simferopol")
    return roster_pb2.RosterEntry(school=roster_pb2.RosterSchool(school=school, version=1))


def _class(class_id: str) -> roster_pb2.RosterEntry:
    entry = roster_pb2.RosterEntry()
    taught = roster_pb2.RosterClass(class_id=class_id, name="8-А", class_teacher_name="Петрова Наталья Ивановна")
    getattr(entry, "class").CopyFrom(taught)
    return entry


class _Schools(school_service_pb2_grpc.SchoolServiceServicer):
    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours

    async def GetSchool(
        self,
        request: school_service_pb2.GetSchoolRequest,
        context: grpc.aio.ServicerContext[school_service_pb2.GetSchoolRequest, school_service_pb2.GetSchoolResponse],
    ) -> school_service_pb2.GetSchoolResponse:
        """What the test put there of a school."""
        if self._neighbours.is_access_away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        school = self._neighbours.schools.get(request.school_id)
        if school is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such school")
        assert school is not None
        return school

    async def ListSchools(
        self, request: school_service_pb2.ListSchoolsRequest, context: object
    ) -> school_service_pb2.ListSchoolsResponse:
        """No school yet when the service begins."""
        return school_service_pb2.ListSchoolsResponse()


class _Decisions(decision_service_pb2_grpc.DecisionServiceServicer):
    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours

    async def GetDecisions(
        self,
        request: decision_service_pb2.GetDecisionsRequest,
        context: grpc.aio.ServicerContext[decision_service_pb2.GetDecisionsRequest, decision_service_pb2.GetDecisionsResponse],
    ) -> decision_service_pb2.GetDecisionsResponse:
        """The decisions that the test put there; a case without any was not refused."""
        found = self._neighbours.decisions.get(request.application_id)
        if found is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "not refused")
        return decision_service_pb2.GetDecisionsResponse(decisions=found or [])


@pytest_asyncio.fixture(scope="module")
async def clone(postgres: PostgresServer) -> Clone:
    """A database with the schema of documents."""
    return await postgres.clone(["documents"])


@pytest_asyncio.fixture(scope="module")
async def neighbours() -> AsyncIterator[Neighbours]:
    """The journal and access."""
    found = Neighbours()
    server = grpc.aio.server()
    diary_service_pb2_grpc.add_DiaryServiceServicer_to_server(
        _Journal(found),  # type: ignore[abstract]  # the rest is not asked
        server,
    )
    roster_service_pb2_grpc.add_RosterServiceServicer_to_server(
        _Roster(found),  # type: ignore[abstract]  # the rest is not asked
        server,
    )
    school_service_pb2_grpc.add_SchoolServiceServicer_to_server(
        _Schools(found),  # type: ignore[abstract]  # the rest is not asked
        server,
    )
    decision_service_pb2_grpc.add_DecisionServiceServicer_to_server(
        _Decisions(found),  # type: ignore[abstract]  # the rest is not asked
        server,
    )
    found.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield found
    await server.stop(None)


@pytest.fixture(scope="module")
def settings(clone: Clone, nats_url: str, keys_dir: Path, neighbours: Neighbours) -> Settings:
    """Settings of documents with the stand-ins of its neighbours."""
    return Settings(
        port=0,
        metrics_port=0,
        database_url=SecretStr(clone.app_dsns["documents"]),
        nats_url=SecretStr(nats_url),
        keys_dir=keys_dir,
        portal_url="https://diary.example",
        access_address=f"127.0.0.1:{neighbours.port}",
        journal_address=f"127.0.0.1:{neighbours.port}",
    )


@pytest_asyncio.fixture(scope="module")
async def served_world(settings: Settings, clone: Clone, keys_dir: Path, neighbours: Neighbours) -> AsyncIterator[World]:
    """documents, serving."""
    clock = SetClock(NOW)
    async with served("documents", settings, lambda frame: build(settings, frame), clock) as channel:
        yield World(channel, keys_dir, clock, neighbours, clone)


@pytest_asyncio.fixture
async def consumers(served_world: World, clone: Clone, keys_dir: Path, neighbours: Neighbours) -> AsyncIterator[Consumers]:
    """What an event is given to."""
    database = await Database.connect(clone.app_dsns["documents"], "documents", size=1)
    token = ServiceToken(keys_dir, "documents", served_world.clock)
    async with connect(f"127.0.0.1:{neighbours.port}", token) as access:
        roster = roster_service_pb2_grpc.RosterServiceStub(access)
        yield Consumers(database, served_world.clock, Projection(database, served_world.clock, roster, KINDS))
    await database.close()


@pytest_asyncio.fixture
async def deciding(served_world: World, clone: Clone, keys_dir: Path) -> AsyncIterator[DecisionConsumers]:
    """What an event of access about a refusal is given to."""
    database = await Database.connect(clone.app_dsns["documents"], "documents", size=1)
    sealer = Sealer(read_authority((keys_dir / "seal-ca.pem").read_bytes(), (keys_dir / "seal-ca.crt").read_bytes()))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{served_world.neighbours.port}") as channel:
        asked = decision_service_pb2_grpc.DecisionServiceStub(channel)
        clock = served_world.clock
        yield DecisionConsumers(database, clock, asked, Press(), sealer, "https://diary.example")
    await database.close()


@pytest_asyncio.fixture
async def world(served_world: World) -> World:
    """documents with a school of the test's own."""
    served_world.clock.advance(NOW - served_world.clock.now())
    await served_world.begin(str(uuid4()))
    return served_world
