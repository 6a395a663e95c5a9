"""The chassis' pool on a real server: nothing of one use is left for the next."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from chassis.db import Connection, Database, asking
from chassis.errors import NotFound, Unavailable
from tests.support.backends import Clone, PostgresServer


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
