"""notify on real PostgreSQL, NATS and SMTP; beside access, journal and documents."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import nats
import pytest_asyncio

from chassis.db import Database
from tests.support.backends import PostgresServer
from tests.worlds.mailbox import Mailbox
from tests.worlds.neighbours import Neighbours
from tests.worlds.notify import World


@pytest_asyncio.fixture(scope="module")
async def world(postgres: PostgresServer, nats_url: str, keys_dir: Path) -> AsyncIterator[World]:
    """Everything around notify; each test starts notify itself."""
    clone = await postgres.clone(["notify"])
    broker = await nats.connect(nats_url)
    jetstream = broker.jetstream()
    for service in ("access", "journal", "documents"):
        await jetstream.add_stream(name=f"diary-{service}", subjects=[f"diary.{service}.v1.>"], duplicate_window=0.1)
    neighbours = Neighbours()
    neighbours.admit_services(keys_dir)
    mailbox = Mailbox()
    await mailbox.start()
    admin = await asyncpg.create_pool(clone.admin_dsn, min_size=1, max_size=5, server_settings={"search_path": "notify"})
    database = await Database.connect(clone.app_dsns["notify"], "notify", size=1)
    async with neighbours.listening():
        yield World(clone, admin, database, nats_url, keys_dir, jetstream, neighbours, mailbox)
    await database.close()
    await admin.close()
    await mailbox.stop()
    await broker.close()
