"""access in process with the three services that it tells of endings; a school of its own for each test."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest_asyncio

from chassis.clock import Clock
from services.access import __main__ as access
from tests.support.backends import PostgresServer
from tests.support.services import served
from tests.worlds import access as worlds
from tests.worlds.access import SchoolWorld
from tests.worlds.access_service import Backends, Serve


@pytest_asyncio.fixture(scope="module")
async def backends(postgres: PostgresServer, nats_url: str, keys_dir: Path) -> Backends:
    """The module's own."""
    clone = await postgres.clone(["access", "documents", "notify"])
    return Backends(clone, await postgres.clone(["documents"]), nats_url, keys_dir)


@pytest_asyncio.fixture(scope="module")
async def addresses(backends: Backends) -> AsyncIterator[dict[str, str]]:
    """notify, documents and journal's stand-in, serving."""
    async with (
        backends.documents_and_notify() as (documents_port, notify_port),
        backends.journal_on(0) as journal_port,
    ):
        yield {
            "documents_address": f"127.0.0.1:{documents_port}",
            "notify_address": f"127.0.0.1:{notify_port}",
            "journal_address": f"127.0.0.1:{journal_port}",
        }


@pytest_asyncio.fixture(scope="module")
async def serve(backends: Backends, addresses: dict[str, str]) -> Serve:
    """Serves another access of the module's database, with a clock or an address of its own."""

    def start(clock: Clock | None = None, **other: str) -> Any:
        settings = backends.access_settings(**{**addresses, **other})
        return served("access", settings, lambda frame: access.build(settings, frame), clock)

    return start


@pytest_asyncio.fixture(scope="module")
async def channel(serve: Serve) -> AsyncIterator[grpc.aio.Channel]:
    """access, serving."""
    async with serve() as channel:
        yield channel


@pytest_asyncio.fixture
async def admin(backends: Backends) -> AsyncIterator[Any]:
    """The server's admin in access's schema."""
    connection = await worlds.connect(backends.clone.admin_dsn)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def school(admin: Any) -> SchoolWorld:
    """The test's own school."""
    return await worlds.make_school(admin)
