"""The journal in process, on real Postgres and NATS, beside access's roster and with a clock that stands."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from pydantic import SecretStr

from chassis.auth import ServiceToken
from chassis.clients import connect
from chassis.clock import SetClock
from chassis.db import Database
from diary.access.v1 import roster_service_pb2_grpc
from services.journal.__main__ import build
from services.journal.config import Settings
from tests.support.backends import Clone, PostgresServer
from tests.support.services import served
from tests.worlds.journal import NOW, School, World, query
from tests.worlds.neighbours import Neighbours


@pytest_asyncio.fixture(scope="module")
async def clone(postgres: PostgresServer) -> Clone:
    """A database with the journal's schema."""
    return await postgres.clone(["journal"])


@pytest_asyncio.fixture(scope="module")
async def neighbours(keys_dir: Path) -> AsyncIterator[Neighbours]:
    """access."""
    found = Neighbours()
    found.admit_services(keys_dir)
    async with found.listening():
        yield found


@pytest_asyncio.fixture(scope="module")
async def settings(clone: Clone, nats_url: str, keys_dir: Path, neighbours: Neighbours) -> Settings:
    """Settings of a journal on this module's backends."""
    return Settings(
        port=0,
        metrics_port=0,
        database_url=SecretStr(clone.app_dsns["journal"]),
        admin_database_url=SecretStr(clone.admin_dsn),
        nats_url=SecretStr(nats_url),
        keys_dir=keys_dir,
        access_address=neighbours.address,
    )


@pytest_asyncio.fixture(scope="module")
async def clock() -> SetClock:
    """A Wednesday at noon."""
    return SetClock(NOW)


@pytest_asyncio.fixture(scope="module")
async def world(settings: Settings, neighbours: Neighbours, keys_dir: Path, clock: SetClock) -> AsyncIterator[World]:
    """The journal, serving."""
    database = await Database.connect(settings.database_url.get_secret_value(), "journal", size=2)
    try:
        async with (
            served("journal", settings, lambda frame: build(settings, frame), clock) as channel,
            connect(neighbours.address, ServiceToken(keys_dir, "journal", clock)) as access,
        ):
            stub = roster_service_pb2_grpc.RosterServiceStub(access)
            yield World(channel, keys_dir, clock, neighbours, stub, database, settings.nats_url.get_secret_value())
    finally:
        await database.close()


@pytest_asyncio.fixture
async def school(world: World) -> School:
    """A school of the test's own."""
    return await world.school()


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch, clone: Clone, school: School) -> Callable[[Any, str, str], list[bool]]:
    """Makes the other transaction commit just before the first save; returns what each save said."""

    def order(room: Any, name: str, statement: str) -> list[bool]:
        save: Callable[..., Awaitable[bool]] = getattr(room, name)
        said: list[bool] = []

        async def come_late(*arguments: Any) -> bool:
            if not said:
                await query(clone.admin_dsn, statement, UUID(school.school_id))
            said.append(await save(*arguments))
            return said[-1]

        monkeypatch.setattr(room, name, come_late)
        return said

    return order
