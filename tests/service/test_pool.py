"""The chassis' pool on a real server: nothing of one use is left for the next."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from chassis.db import Connection, Database, asking
from chassis.errors import NotFound, Unavailable
from chassis.pool import Pool
from tests.support.backends import Clone, PostgresServer
from tests.support.eventually import eventually

_ROOT = Path(__file__).parents[2]
_NOTHING = asking("SELECT r.relation_id FROM relations r")


@pytest_asyncio.fixture(scope="module")
async def clone(postgres: PostgresServer) -> Clone:
    """A database with some service's roles."""
    return await postgres.clone(["documents"])


@pytest_asyncio.fixture
async def database(clone: Clone) -> AsyncIterator[Database]:
    """A pool of one connection, so that each use would meet what the last one left."""
    database = await Database.connect(clone.app_dsns["documents"], "documents", size=1)
    yield database
    await database.close()


async def _backend(database: Database) -> int:
    async with database.school(uuid4()) as connection:
        return int(await connection.fetchval("SELECT pg_backend_pid()"))


async def test_a_connection_is_used_again(database: Database) -> None:
    assert await _backend(database) == await _backend(database)


async def test_each_use_sees_its_own_school(database: Database) -> None:
    for school_id in (uuid4(), uuid4()):
        async with database.school(school_id) as connection:
            assert await connection.fetchval("SELECT current_setting('diary.school_id')") == str(school_id)


async def test_a_refusal_leaves_the_connection_in_use(database: Database) -> None:
    before = await _backend(database)
    with pytest.raises(NotFound):
        async with database.school(uuid4()):
            raise NotFound("STUDENT_NOT_FOUND", "no such student")
    assert await _backend(database) == before


async def _sleep(database: Database, begun: asyncio.Event) -> None:
    async with database.school(uuid4()) as connection:
        begun.set()
        await connection.execute("SELECT pg_sleep(60)")


async def test_a_connection_whose_statement_was_cancelled_is_not_used_again(database: Database) -> None:
    before, begun = await _backend(database), asyncio.Event()
    sleeping = asyncio.create_task(_sleep(database, begun))
    await begun.wait()
    sleeping.cancel()
    await asyncio.gather(sleeping, return_exceptions=True)
    assert await _backend(database) != before


async def test_a_transaction_left_open_is_not_the_next_ones(database: Database) -> None:
    async def leave_open(connection: Connection) -> None:
        await connection.transaction().start()

    before = await _backend(database)
    async with database.school(uuid4()) as connection:
        await leave_open(connection)
    assert await _backend(database) != before


async def test_a_connection_that_the_server_ended_is_replaced(database: Database, clone: Clone) -> None:
    before = await _backend(database)
    admin = await asyncpg.connect(clone.admin_dsn)
    await admin.execute("SELECT pg_terminate_backend($1, 5000)", before)
    await admin.close()
    # The first use may meet the dead connection before its end was noticed, and then says so.
    after = await asyncio.gather(_backend(database), return_exceptions=True)
    assert isinstance(after[0], Unavailable) or after[0] != before
    assert await _backend(database) != before


async def test_more_users_than_connections_wait_for_their_turn(database: Database) -> None:
    assert len(set(await asyncio.gather(*(_backend(database) for _ in range(20))))) == 1


async def test_a_question_sees_the_school_it_enters_and_no_other(database: Database, clone: Clone) -> None:
    # Without a WHERE: the wall alone has to keep the schools apart, on a connection that stood at the other school before.
    forgetful = asking("SELECT r.relation_id FROM relations r")
    schools = {uuid4(): uuid4(), uuid4(): uuid4()}
    admin = await asyncpg.connect(clone.admin_dsn)
    for school_id, relation_id in schools.items():
        await admin.execute(
            "INSERT INTO documents.relations VALUES ($1, $2, 3, $2, $2, 4, 1, now(), NULL)", school_id, relation_id
        )
    await admin.close()
    for school_id, relation_id in [*schools.items(), *schools.items()]:
        async with database.school_asking(school_id, forgetful()) as (connection, rows):
            assert [row["relation_id"] for row in rows] == [relation_id]
            assert await connection.fetchval("SELECT relation_id FROM relations") == relation_id


async def test_a_question_without_an_answer_has_no_rows(database: Database) -> None:
    async with database.region():
        pass  # and comes from another role's door
    async with database.school_asking(uuid4(), asking("SELECT r.relation_id FROM relations r")()) as (_, rows):
        assert rows == []


_ACTIVE = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE $1 AND state = 'active'"
_COUNTING = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b"


@pytest.mark.parametrize("statement", ["SELECT pg_sleep(60)", _COUNTING], ids=["sleeping", "counting"])
async def test_a_statement_that_was_cancelled_ends_in_the_server(database: Database, clone: Clone, statement: str) -> None:
    marked = f"{statement} /* {uuid4()} */"

    async def run() -> None:
        async with database.school(uuid4()) as connection:
            # Else the server would notice by itself, a second later.
            await connection.execute("SET client_connection_check_interval = 0")
            await connection.execute(marked)

    running = asyncio.create_task(run())
    admin = await asyncpg.connect(clone.admin_dsn)
    await eventually(lambda: admin.fetchval(_ACTIVE, f"{marked}%"), why="the statement runs")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    async def is_free() -> bool:
        return not await admin.fetchval(_ACTIVE, f"{marked}%")

    await eventually(is_free, seconds=5, why="the server is free")
    await admin.close()


class _SlowToClose:
    """A connection of no server, whose end is in the test's hand."""

    def __init__(self) -> None:
        self.may_close, self._is_closed = asyncio.Event(), False

    def is_closed(self) -> bool:
        return self._is_closed

    def is_in_transaction(self) -> bool:
        return False

    def terminate(self) -> None:
        self._is_closed = True

    async def close(self) -> None:
        await self.may_close.wait()


async def test_a_place_is_free_when_its_retired_connection_is_gone() -> None:
    opened: list[_SlowToClose] = []

    async def open_one() -> _SlowToClose:
        opened.append(_SlowToClose())
        return opened[-1]

    async def use() -> _SlowToClose:
        async with pool.use() as connection:
            return connection

    async def fail() -> None:
        async with pool.use():
            raise ValueError("leaves the connection uncertain")

    pool = Pool(open_one, 1)
    with pytest.raises(ValueError, match="uncertain"):
        await fail()
    using = asyncio.create_task(use())
    await asyncio.sleep(0)
    assert len(opened) == 1
    opened[0].may_close.set()
    assert await using is opened[1]
    assert opened[0].is_closed()


async def test_each_door_bounds_its_statements_locks_and_silences(database: Database) -> None:
    bounds = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "client_connection_check_interval")
    found = {}
    for name, door in (("school", database.school(uuid4())), ("region", database.region()), ("jobs", database.jobs())):
        async with door as connection:
            found[name] = [await connection.fetchval("SELECT current_setting($1)", bound) for bound in bounds]
    async with database.school_asking(uuid4(), asking("SELECT current_setting('statement_timeout') AS bound")()) as (_, rows):
        assert [row["bound"] for row in rows] == ["10s"]
    assert found == {
        "school": ["10s", "5s", "30s", "1s"],
        "region": ["10s", "5s", "30s", "1s"],
        "jobs": ["25s", "5s", "30s", "1s"],
    }


async def test_a_statement_is_planned_once_a_connection(database: Database) -> None:
    statement = "SELECT count(*) FROM unnest($1::bigint[]) AS one (number)"
    async with database.region() as connection:
        for numbers in ([], [1], [1, 2, 3]):
            assert await connection.fetchval(statement, numbers) == len(numbers)
        plans = await connection.fetch(
            "SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE statement = $1", statement
        )
    assert [tuple(row) for row in plans] == [(0, 3)]


async def test_a_new_connection_knows_the_arrays_of_our_statements(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """asyncpg would ask the catalogue for each where it first meets it, in the middle of a call."""
    cast = re.compile(r"\$\d+::(\w+\[\])")
    files = [path for folder in ("services", "chassis") for path in (_ROOT / folder).rglob("*.py") if "seed" not in path.parts]
    types = sorted({found for path in files for found in cast.findall(path.read_text())})
    asked: list[object] = []

    async def note(self: object, oids: object, timeout: object) -> None:
        asked.append(oids)
        raise AssertionError

    async with database.region() as connection:
        monkeypatch.setattr(asyncpg.Connection, "_introspect_types", note)
        for name in types:
            assert await connection.fetchval(f"SELECT cardinality($1::{name})", []) == 0, name
        assert await connection.fetchval("SELECT ARRAY(SELECT ROW(1, 'a'::text))") == [(1, "a")]
    assert asked == []


async def test_a_statement_past_its_bound_is_said_to_be_unavailable(database: Database) -> None:
    async with database.school(uuid4()) as connection:
        await connection.execute("SET statement_timeout = '50ms'")
        with pytest.raises(Unavailable):
            await connection.execute("SELECT pg_sleep(60)")


@pytest.mark.parametrize("error", [FileNotFoundError("template"), TimeoutError(), ConnectionResetError("of a neighbour")])
async def test_an_error_of_the_callers_own_is_not_the_databases(database: Database, error: Exception) -> None:
    for door in (database.school(uuid4()), database.region(), database.jobs(), database.school_asking(uuid4(), _NOTHING())):
        with pytest.raises(type(error)):
            async with door:
                raise error


async def test_the_callers_own_deadline_is_not_the_databases(database: Database) -> None:
    with pytest.raises(TimeoutError):
        async with database.school(uuid4()) as connection, asyncio.timeout(0.05):
            await connection.execute("SELECT pg_sleep(60)")


async def test_a_connection_that_ends_within_a_statement_is_said_to_be_unavailable(database: Database, clone: Clone) -> None:
    before = await _backend(database)
    admin = await asyncpg.connect(clone.admin_dsn)

    async def lose() -> None:
        async with database.school(uuid4()) as connection, connection.transaction():
            await admin.execute("SELECT pg_terminate_backend($1, 5000)", before)
            await connection.execute("SELECT 1")

    with pytest.raises(Unavailable):
        await lose()
    assert await _backend(database) != before
    await admin.close()


async def test_whoever_is_let_go_of_two_that_wait_for_each_other_may_repeat(clone: Clone) -> None:
    database = await Database.connect(clone.app_dsns["documents"], "documents", size=2)
    held = asyncio.Barrier(2)

    async def lock_both(first: int, second: int) -> None:
        async with database.region() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", first)
            await held.wait()
            await connection.execute("SELECT pg_advisory_xact_lock($1)", second)

    outcomes = await asyncio.gather(lock_both(1, 2), lock_both(2, 1), return_exceptions=True)
    await database.close()
    assert sorted(type(one).__name__ for one in outcomes) == ["NoneType", "Unavailable"]
