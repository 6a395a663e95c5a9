"""What a letter's taking is ordered against: two transactions by hand, the second one seen to wait for the first."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from chassis.clock import SystemClock
from chassis.db import Database
from services.notify.letters.rules import Claim, State
from services.notify.letters.store import queue
from tests.support.eventually import eventually
from tests.worlds.notify import Family, World

NOW = SystemClock().now()
_END = "UPDATE relations SET valid_to_time = $2, version = version + 1 WHERE school_id = $1"


@pytest_asyncio.fixture
async def database(world: World) -> AsyncIterator[Database]:
    found = await Database.connect(world.clone.app_dsns["notify"], "notify", size=2)
    yield found
    await found.close()


async def _claimed(world: World, family: Family) -> Claim:
    """A letter about marks that this process has claimed for a minute."""
    claim = Claim(family.school_id, uuid4(), False, NOW + timedelta(minutes=1))
    await world.rows(
        """
        INSERT INTO deliveries (school_id, delivery_id, event_id, kind, account_id, student_id, mark_ids, state, attempt_count,
                                next_attempt_time, lease_end_time, create_time, fact_time)
        VALUES ($1, $2, gen_random_uuid(), 2, $3, $4, ARRAY[gen_random_uuid()], 1, 0, $5, $6, $5, $5)
        """,
        family.school_id,
        claim.delivery_id,
        family.account_id,
        family.student_id,
        NOW,
        claim.lease_end_time,
    )
    return claim


@pytest_asyncio.fixture
async def ending(world: World) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """The connection of whoever ends an access."""
    connection = await asyncpg.connect(world.clone.admin_dsn, server_settings={"search_path": "notify"})
    yield connection
    await connection.close()


async def test_an_ending_waits_for_a_letter_that_is_being_taken(world: World, database: Database, ending: Any) -> None:
    family = await world.family()
    claim = await _claimed(world, family)
    await ending.execute("SET lock_timeout = '200ms'")
    async with database.school(family.school_id) as connection, connection.transaction():
        assert await queue.take_delivery(connection, claim, NOW) is not None
        with pytest.raises(asyncpg.LockNotAvailableError):
            await ending.execute(_END, family.school_id, NOW)
    assert await ending.execute(_END, family.school_id, NOW) == "UPDATE 1"


async def test_a_letter_that_waited_for_an_ending_is_not_sent(world: World, database: Database, ending: Any) -> None:
    family = await world.family()
    claim = await _claimed(world, family)

    async def take() -> object:
        async with database.school(family.school_id) as connection:
            return await queue.take_delivery(connection, claim, NOW)

    async def is_waiting() -> bool:
        return bool(await ending.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))

    async with ending.transaction():
        await ending.execute(_END, family.school_id, NOW)
        taking = asyncio.create_task(take())
        await eventually(is_waiting, why="the taking waits for the ending")
    assert await taking is None
    [row] = await world.rows("SELECT state FROM deliveries WHERE delivery_id = $1", claim.delivery_id)
    assert row["state"] == State.CANCELLED


async def test_a_claim_that_has_run_out_takes_nothing(world: World, database: Database) -> None:
    """By then another process may have claimed it: whoever paused for long must not send."""
    family = await world.family()
    claim = await _claimed(world, family)
    async with database.school(family.school_id) as connection:
        assert await queue.take_delivery(connection, claim, claim.lease_end_time) is None
        [row] = await world.rows("SELECT state, attempt_count FROM deliveries WHERE delivery_id = $1", claim.delivery_id)
        assert (row["state"], row["attempt_count"]) == (1, 0)
        assert await queue.take_delivery(connection, claim, NOW) is not None
