"""notify on real PostgreSQL, NATS and SMTP; access, journal and documents are stood in for behind their real protos."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import nats
import pytest_asyncio

from tests.service.notify.mailbox import Mailbox
from tests.service.notify.neighbours import Neighbours
from tests.service.notify.world import World
from tests.support.backends import PostgresServer


@pytest_asyncio.fixture(scope="module")
async def world(postgres: PostgresServer, nats_url: str, keys_dir: Path) -> AsyncIterator[World]:
    """Everything around notify; each test starts notify itself."""
    clone = await postgres.clone(["notify"])
    broker = await nats.connect(nats_url)
    jetstream = broker.jetstream()
    for service in ("access", "journal", "documents"):
        await jetstream.add_stream(name=f"diary-{service}", subjects=[f"diary.{service}.v1.>"], duplicate_window=0.1)
    neighbours = Neighbours()
    await neighbours.start()
    mailbox = Mailbox()
    await mailbox.start()
    admin = await asyncpg.create_pool(clone.admin_dsn, min_size=1, max_size=5, server_settings={"search_path": "notify"})
    yield World(clone, admin, nats_url, keys_dir, jetstream, neighbours, mailbox)
    await admin.close()
    await mailbox.stop()
    await neighbours.stop()
    await broker.close()
