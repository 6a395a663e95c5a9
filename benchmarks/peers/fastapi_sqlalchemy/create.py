"""Creates the tables: `python -m benchmarks.peers.fastapi_sqlalchemy.create`."""

import asyncio

from benchmarks.peers.fastapi_sqlalchemy.app import engine
from benchmarks.peers.fastapi_sqlalchemy.models import Base


async def create() -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()


asyncio.run(create())
