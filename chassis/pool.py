"""Connections handed out last used first, opened when first needed.

asyncpg's own pool starts two tasks for each use (a bounded acquire, a shielded release) and wraps the connection: a quarter of
what a short read costs in Python (docs/decisions/0064). Here a use is a get and a put; what is not certainly clean is closed
instead of mended.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, Protocol, TypeVar

import asyncpg

from chassis.errors import DiaryError, Unavailable

DATABASE_UNAVAILABLE = "DATABASE_UNAVAILABLE"
_TURN_SECONDS = 5.0
_CLOSE_SECONDS = 2.0


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
        self._retiring: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[C]:
        """A connection for the block. Raises Unavailable when none came free, and what opening one raises."""
        connection = await self._take()
        is_clean = False
        try:
            yield connection
            is_clean = True
        except (DiaryError, asyncpg.PostgresError) as error:
            is_clean = not isinstance(error, Unavailable)
            raise
        finally:
            # A statement that was cancelled or timed out may still run; a transaction left open would be the next one's.
            if connection.is_closed():
                self._places.put_nowait(None)
            elif is_clean and not connection.is_in_transaction():
                self._places.put_nowait(connection)
            else:
                retiring = asyncio.create_task(self._retire(connection))
                self._retiring.add(retiring)
                retiring.add_done_callback(self._retiring.discard)

    async def _retire(self, connection: C) -> None:
        """Closes a connection in the server too: `close` sends the cancellation of what still runs and waits for it, which
        `terminate` at once would take back. Its place is free when it is gone, so there are never more than `size`.
        """
        try:
            with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await connection.close()
        finally:
            connection.terminate()
            self._places.put_nowait(None)

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
        try:
            async with asyncio.timeout(_TURN_SECONDS):
                return await self._places.get()
        except TimeoutError as error:
            raise Unavailable(DATABASE_UNAVAILABLE, "all connections are in use; repeat the call") from error

    async def close(self) -> None:
        """Closes all connections, each when it has come back."""
        for _ in range(self._size):
            connection = await self._places.get()
            if connection is not None:
                await connection.close()
