"""documents in process, on real Postgres and NATS, between neighbours and with a clock that stands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr

from chassis.auth import ServiceToken
from chassis.clients import connect
from chassis.clock import SetClock
from chassis.db import Database
from chassis.projection import Projection
from diary.access.v1 import (
    decision_service_pb2_grpc,
    roster_service_pb2_grpc,
)
from services.documents.__main__ import build
from services.documents.config import Settings
from services.documents.decisions.consumers import DecisionConsumers
from services.documents.press.actions.presses import Press
from services.documents.print_runs.consumers import KINDS, Consumers
from services.documents.register.convert.seal import Sealer, read_authority
from tests.support.backends import Clone, PostgresServer
from tests.support.services import served
from tests.worlds.documents import NOW, World
from tests.worlds.families import Families
from tests.worlds.neighbours import Neighbours


@pytest_asyncio.fixture(scope="module")
async def clone(postgres: PostgresServer) -> Clone:
    """A database with the schema of documents."""
    return await postgres.clone(["documents"])


@pytest_asyncio.fixture(scope="module")
async def neighbours(keys_dir: Path) -> AsyncIterator[Neighbours]:
    """The journal and access."""
    found = Neighbours()
    found.admit_services(keys_dir)
    async with found.listening():
        yield found


@pytest.fixture(scope="module")
def settings(clone: Clone, nats_url: str, keys_dir: Path, neighbours: Neighbours) -> Settings:
    """Settings of documents between its neighbours."""
    return Settings(
        port=0,
        metrics_port=0,
        database_url=SecretStr(clone.app_dsns["documents"]),
        nats_url=SecretStr(nats_url),
        keys_dir=keys_dir,
        portal_url="https://diary.example",
        access_address=neighbours.address,
        journal_address=neighbours.address,
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
    async with connect(neighbours.address, token) as access:
        roster = roster_service_pb2_grpc.RosterServiceStub(access)
        yield Consumers(database, served_world.clock, Projection(database, served_world.clock, roster, KINDS))
    await database.close()


@pytest_asyncio.fixture
async def deciding(served_world: World, clone: Clone, keys_dir: Path) -> AsyncIterator[DecisionConsumers]:
    """What an event of access about a refusal is given to."""
    database = await Database.connect(clone.app_dsns["documents"], "documents", size=1)
    sealer = Sealer(read_authority((keys_dir / "seal-ca.pem").read_bytes(), (keys_dir / "seal-ca.crt").read_bytes()))
    token = ServiceToken(keys_dir, "documents", served_world.clock)
    async with connect(served_world.neighbours.address, token) as channel:
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


@pytest_asyncio.fixture
async def families(world: World, consumers: Consumers) -> Families:
    """The families of the class, none of them on paper."""
    return Families(world, consumers)
