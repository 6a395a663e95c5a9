"""The database behind three doors: `school()`, `region()` and `jobs()`.

Every connection logs in as diary_<service>_app, which owns nothing and bypasses nothing. `school()` sets the school whose
rows can be seen; `region()` and `jobs()` take roles without rights on other tables. A connection stays at its door until an
use moves it (nothing is reset in between, so no transaction-mode pooler may stand before the server).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

import asyncpg

from chassis import log
from chassis.errors import Unavailable
from chassis.pool import DATABASE_UNAVAILABLE as DATABASE_UNAVAILABLE
from chassis.pool import Pool

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    _Base = asyncpg.Connection[asyncpg.Record]
else:
    Connection = Any
    _Base = asyncpg.Connection

# The door stands on the left of a left join without a condition: it can only be run first, whatever the planner thinks of.
_ENTER = """
SELECT asked.*
FROM (SELECT set_config('diary.school_id', $1::uuid::text, false)::uuid AS school_id OFFSET 0) AS door
LEFT JOIN LATERAL ({statement} OFFSET 0) AS asked ON true
"""
_MOVE = (
    "SELECT set_config('role', $1, false), set_config('diary.school_id', $2, false), set_config('statement_timeout', $3, false)"
)
# asyncpg asks the catalogue for each type of array that it meets, on each connection, some 8 ms a type; asked for together when
# a connection opens they cost what two cost one by one.
_ARRAYS = "SELECT NULL::{}[], ARRAY(SELECT ROW(1))".format(
    "[], NULL::".join(("uuid", "smallint", "int", "bigint", "boolean", "date", "timestamptz", "daterange", "interval", "bytea"))
)
# A caller has given up long before (2 to 15 s); a job that claims and forgets rows has nobody waiting.
_STATEMENT_TIMEOUT, _JOB_STATEMENT_TIMEOUT = "10s", "25s"
_SETTINGS = {
    # Statements are prepared and every list walks an index whatever it is asked for, so a plan is made once a connection; left
    # to itself the server plans the first five uses anew, and a statement over arrays for ever.
    "plan_cache_mode": "force_generic_plan",
    "statement_timeout": _STATEMENT_TIMEOUT,
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    # A statement whose client is gone without a word ends by itself.
    "client_connection_check_interval": "1s",
}
# What tells that the server went away or took too long, as opposed to what we asked of it.
_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    # Two waited for each other, and this one was let go: nothing of it was written, so it may be repeated.
    asyncpg.DeadlockDetectedError,
)


@dataclass(frozen=True, slots=True)
class Question:
    """A read that enters its school in its own round trip. Made by `asking`; its first column is never null."""

    statement: str
    arguments: tuple[object, ...]


def asking(statement: str) -> Callable[..., Question]:
    """Makes questions of a statement that has the school as `door.school_id`; `$2` is the first of their arguments."""
    entering = _ENTER.format(statement=statement)
    return lambda *arguments: Question(entering, arguments)


def among(column: str, ids: object | None) -> str:
    """That a column is one of the ids of `$2`, where any are given: said by two statements and not by an OR in one, whose only
    plan would have to read all rows.
    """
    return "$2::uuid[] IS NULL" if ids is None else f"{column} = ANY ($2)"


@dataclass(frozen=True, slots=True)
class Committed:
    """An event as its row has it, told by the statement that was its whole transaction: the relay need not read it back."""

    event_number: int
    event_id: UUID
    school_id: UUID | None
    subject: str
    payload: bytes
    traceparent: str
    create_time: datetime


C = TypeVar("C", bound=Callable[..., Awaitable[Any]])


def _translated(call: C) -> C:
    """The call, saying Unavailable where the server is away. Here and not around a caller's block: a file that is not found
    there, or a deadline of the caller's own, is not the database's.
    """

    @wraps(call)
    async def translated(*arguments: Any, **options: Any) -> Any:
        try:
            return await call(*arguments, **options)
        except _AWAY as error:
            raise _away(error) from error
        except asyncpg.InterfaceError as error:
            if not _is_of_closed(error):
                raise
            raise _away(error) from error

    return cast(C, translated)


class _DoorConnection(_Base):
    """A connection that remembers at which door it stands."""

    _door: tuple[str, str] | None = None
    _news: tuple[Committed | None, ...] = ()

    # Whatever speaks to the server; a transaction begins and ends by `execute`.
    execute = _translated(_Base.execute)
    executemany = _translated(_Base.executemany)
    fetch = _translated(_Base.fetch)
    fetchmany = _translated(_Base.fetchmany)
    fetchrow = _translated(_Base.fetchrow)
    fetchval = _translated(_Base.fetchval)
    copy_records_to_table = _translated(_Base.copy_records_to_table)
    prepare = _translated(_Base.prepare)

    async def move(self, role: str, school: str, statement_timeout: str) -> None:
        """Moves to a door; saves the round trip when it stands there already."""
        if self._door != (role, school):
            self._door = None
            await self.execute(_MOVE, role, school, statement_timeout)
            self._door = (role, school)

    async def ask(self, role: str, school_id: UUID, question: Question) -> "list[asyncpg.Record]":
        """Moves to a school's door and reads there, in one round trip."""
        await self.move(role, self._door[1] if self._door else "", _STATEMENT_TIMEOUT)
        self._door = None
        rows = await self.fetch(question.statement, school_id, *question.arguments)
        self._door = (role, str(school_id))
        return [row for row in rows if row[0] is not None]

    def note_news(self, committed: Committed | None) -> None:
        """Notes that an event was written; the event itself where it is committed already."""
        self._news += (None if self.is_in_transaction() else committed,)

    def take_news(self) -> tuple[Committed | None, ...]:
        """The events written since the last time this was asked."""
        had, self._news = self._news, ()
        return had

    def forget_door(self) -> None:
        """A transaction that is rolled back goes back to the door where it began."""
        self._door = None


class Database:
    """A pool of connections of one service."""

    def __init__(self, pool: "Pool[_DoorConnection]", service: str) -> None:
        self._pool = pool
        self._app_role = f"diary_{service}_app"
        self._region_role = f"diary_{service}_region"
        self._jobs_role = f"diary_{service}_jobs"
        self.on_news: Callable[[tuple[Committed | None, ...]], None] = lambda news: None

    @classmethod
    async def connect(cls, dsn: str, service: str, *, size: int = 8) -> "Database":
        """Opens the pool and its first connection. Raises Unavailable when the server does not answer."""
        pool = Pool(partial(_open_pooled, dsn, service), size)
        async with pool.use():
            return cls(pool, service)

    def school(self, school_id: UUID) -> AbstractAsyncContextManager[Connection]:
        """A connection that sees the rows of one school."""
        return self._at(self._app_role, str(school_id))

    @asynccontextmanager
    async def school_asking(
        self, school_id: UUID, question: Question
    ) -> "AsyncIterator[tuple[Connection, list[asyncpg.Record]]]":
        """As `school`, with the answer to its first question, which saves the round trip of entering."""
        async with self._use() as connection:
            yield connection, await connection.ask(self._app_role, school_id, question)

    @asynccontextmanager
    async def walk(self) -> "AsyncIterator[Walk]":
        """One transaction that goes from school to school; what it wrote in all of them stands or falls together."""
        async with self._use() as connection:
            try:
                async with connection.transaction():
                    yield Walk(connection, self._app_role)
            except BaseException:
                connection.forget_door()
                raise

    def region(self) -> AbstractAsyncContextManager[Connection]:
        """A connection that sees region tables and no school's row."""
        return self._at(self._region_role, "")

    def jobs(self) -> AbstractAsyncContextManager[Connection]:
        """A connection that sees queue tables of all schools, to claim (school_id, id) and nothing else."""
        return self._at(self._jobs_role, "", _JOB_STATEMENT_TIMEOUT)

    @asynccontextmanager
    async def _at(self, role: str, school: str, statement_timeout: str = _STATEMENT_TIMEOUT) -> AsyncIterator[Connection]:
        async with self._use() as connection:
            await connection.move(role, school, statement_timeout)
            yield connection

    @asynccontextmanager
    async def _use(self) -> AsyncIterator[_DoorConnection]:
        try:
            async with self._pool.use() as connection:
                connection.take_news()
                yield connection
                if news := connection.take_news():
                    self.on_news(news)
        except asyncpg.InterfaceError as error:
            # A transaction says so at its end, in place of what the statement in it said.
            if not _is_of_closed(error):
                raise
            raise _away(error) from error

    async def close(self) -> None:
        """Closes the pool after running statements."""
        await self._pool.close()


@dataclass(frozen=True, slots=True)
class Walk:
    """A transaction that may enter one school after the other."""

    _connection: _DoorConnection
    _role: str

    async def enter(self, school_id: UUID) -> Connection:
        """The connection, which now sees the rows of this school and of no other."""
        await self._connection.move(self._role, str(school_id), _STATEMENT_TIMEOUT)
        return self._connection


@asynccontextmanager
async def owner(admin_dsn: str, service: str) -> AsyncIterator[Connection]:
    """A connection as the owner of the service's tables, whom row security does not bind: for seeds and operators' commands,
    never for a service that answers calls.
    """
    connection = await _open(admin_dsn, f"diary-{service}-owner", service)
    try:
        await connection.execute("SELECT set_config('role', $1, false)", f"diary_{service}_owner")
        yield connection
    finally:
        await connection.close()


async def _open_pooled(dsn: str, service: str) -> _DoorConnection:
    connection = await _open(dsn, f"diary-{service}", service, command_timeout=30, settings=_SETTINGS)
    try:
        await connection.prepare(_ARRAYS)
    except BaseException:
        connection.terminate()
        raise
    return connection


@_translated
async def _open(
    dsn: str, name: str, schema: str, command_timeout: float | None = None, settings: Mapping[str, str] | None = None
) -> _DoorConnection:
    connection: _DoorConnection = await asyncpg.connect(
        dsn,
        connection_class=_DoorConnection,
        timeout=10,
        command_timeout=command_timeout,
        server_settings={"search_path": schema, "application_name": name, "jit": "off", **(settings or {})},
    )
    return connection


def announce(connection: Connection, committed: Committed | None = None) -> None:
    """Notes that an event was written, so that the relay is woken when the transaction is over; with the event where its
    statement was the whole transaction.
    """
    # A seed's plain connection has no relay to wake.
    if note_news := getattr(connection, "note_news", None):
        note_news(committed)


def _is_of_closed(error: asyncpg.InterfaceError) -> bool:
    """asyncpg says so when the connection was closed between two statements; anything else is a fault of ours."""
    return "clos" in str(error)


def _away(error: Exception) -> Unavailable:
    log.logger().warning("database_away", error=type(error).__name__)
    return Unavailable(DATABASE_UNAVAILABLE, "the database does not answer now; repeat the call")
