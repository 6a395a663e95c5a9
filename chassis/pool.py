"""Connections handed out last used first, opened when first needed.

asyncpg's own pool starts two tasks for each use (a bounded acquire, a shielded release) and wraps the connection: a quarter of
what a short read costs in Python. Here a use is a get and a put; what is not certainly clean is closed instead of mended.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, Protocol, TypeVar

import asyncpg

from chassis.errors import DiaryError

_TURN_SECONDS = 5.0


class Pooled(Protocol):
    """What the pool asks of a connection."""

    def is_closed(self) -> bool:
        """Whether it can no longer be used."""
        ...

    def is_in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    def terminate(self) -> None:
        """Ends it at once."""
        ...

    async def close(self) -> None:
        """Ends it after running statements."""
        ...


C = TypeVar("C", bound=Pooled)


class Pool(Generic[C]):
    """At most `size` connections."""

    def __init__(self, open_connection: Callable[[], Awaitable[C]], size: int) -> None:
        self._open = open_connection
        self._size = size
        # A place is a connection, or None while none is open there; those open lie on top.
        self._places: asyncio.LifoQueue[C | None] = asyncio.LifoQueue()
        for _ in range(size):
            self._places.put_nowait(None)

    @asynccontextmanager
    async def use(self) -> AsyncIterator[C]:
        """A connection for the block. Raises TimeoutError when none came free, and what opening one raises."""
        connection = await self._take()
        is_clean = False
        try:
            yield connection
            is_clean = True
        except (DiaryError, asyncpg.PostgresError):
            is_clean = True
            raise
        finally:
            # A statement that was cancelled or timed out may still run; a transaction left open would be the next one's.
            if not is_clean or connection.is_in_transaction():
                connection.terminate()
            self._places.put_nowait(None if connection.is_closed() else connection)

    async def _take(self) -> C:
        connection = await self._wait_for_place()
        if connection is not None and not connection.is_closed():
            return connection
        try:
            return await self._open()
        except BaseException:
            self._places.put_nowait(None)
            raise

    async def _wait_for_place(self) -> C | None:
        if not self._places.empty():
            return self._places.get_nowait()
        async with asyncio.timeout(_TURN_SECONDS):
            return await self._places.get()

    async def close(self) -> None:
        """Closes all connections, each when it has come back."""
        for _ in range(self._size):
            connection = await self._places.get()
            if connection is not None:
                await connection.close()
