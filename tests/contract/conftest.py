"""All four services, as the contract tests ask them."""

import importlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import grpc
import pytest_asyncio
from pydantic import SecretStr

from deploy.keys import SERVICES
from tests.support.backends import PostgresServer
from tests.support.services import served


@pytest_asyncio.fixture(scope="module")
async def channels(postgres: PostgresServer, nats_url: str, keys_dir: Path) -> AsyncIterator[dict[str, grpc.aio.Channel]]:
    """All four services, serving on an empty region."""
    clone = await postgres.clone(SERVICES)
    async with AsyncExitStack() as stack:
        found = {}
        for name in SERVICES:
            settings = importlib.import_module(f"services.{name}.config").Settings(
                port=0,
                metrics_port=0,
                database_url=SecretStr(clone.app_dsns[name]),
                nats_url=SecretStr(nats_url),
                keys_dir=keys_dir,
            )
            build = importlib.import_module(f"services.{name}.__main__").build
            found[name] = await stack.enter_async_context(served(name, settings, partial(build, settings)))
        yield found
