"""A page of deliveries touches its page, and a claim what it claims: 4,000 deliveries, 480 students, as the product asks."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from chassis.auth import NOBODY
from chassis.db import Database
from chassis.paging import LAST_ID
from services.notify.letters.store import deliveries, queue
from tests.support.plans import explain
from tests.worlds.notify import World

PAGE = 51
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
# A class teacher's page is chosen among the newest of each student of the class.
ROWS, BUFFERS = 30, 12


@dataclass
class Crowded:
    """A school whose families got letters for a year."""

    database: Database
    school_id: UUID
    admin: UUID
    teacher: UUID
    mother: UUID


@pytest_asyncio.fixture(scope="module")
async def crowded(world: World) -> AsyncIterator[Crowded]:
    """The school, and its neighbour behind the wall."""
    for _ in range(2):
        school_id, admin, teacher, class_id = uuid4(), uuid4(), uuid4(), uuid4()
        async with world.admin.acquire() as connection:
            await connection.execute("SET search_path = notify")
            await connection.execute(
                """
                CREATE TEMPORARY TABLE crowd AS
                SELECT n, gen_random_uuid() AS student_id, gen_random_uuid() AS account_id FROM generate_series(0, 479) n
                """
            )
            await connection.execute(
                """
                INSERT INTO placements (school_id, student_id, from_time, class_id, is_named)
                SELECT $1::uuid, student_id, '2025-09-01'::timestamptz,
                       CASE WHEN n < 25 THEN $2::uuid ELSE md5((n / 25)::text)::uuid END, true
                FROM crowd
                """,
                school_id,
                class_id,
            )
            await connection.execute(
                """
                INSERT INTO relations (school_id, relation_id, kind, object_id, account_id, role, version, valid_from_time)
                SELECT $1::uuid, gen_random_uuid(), 3, student_id, account_id, 4, 1, '2025-09-01'::timestamptz FROM crowd
                UNION ALL SELECT $1::uuid, gen_random_uuid(), 6, $1::uuid, $2::uuid, 10, 1, '2025-09-01'
                UNION ALL SELECT $1::uuid, gen_random_uuid(), 4, $4::uuid, $3::uuid, 6, 1, '2025-09-01'
                """,
                school_id,
                admin,
                teacher,
                class_id,
            )
            await connection.execute(
                """
                INSERT INTO deliveries (school_id, kind, account_id, student_id, mark_ids, event_id, state, send_time,
                                        fact_time, next_attempt_time, create_time)
                SELECT $1::uuid, 2, c.account_id, c.student_id, ARRAY[gen_random_uuid()], gen_random_uuid(),
                       CASE WHEN k % 40 = 0 THEN 1 ELSE 2 END, CASE WHEN k % 40 > 0 THEN $2::timestamptz END, $2::timestamptz,
                       $2::timestamptz, $2::timestamptz
                FROM generate_series(1, 4000) k JOIN crowd c ON c.n = k % 480
                """,
                school_id,
                NOW,
            )
            mother = await connection.fetchval("SELECT account_id FROM crowd WHERE n = 7")
            await connection.execute("DROP TABLE crowd")
            await connection.execute("RESET search_path")
    async with world.admin.acquire() as connection:
        await connection.execute("VACUUM ANALYZE")
    database = await Database.connect(world.clone.app_dsns["notify"], "notify", size=1)
    yield Crowded(database, school_id, admin, teacher, mother)
    await database.close()


def _listed(account: str) -> Callable[[Crowded, Any], Awaitable[Any]]:
    return lambda of, c: deliveries.list_deliveries(
        c, of.school_id, replace(NOBODY, account_id=getattr(of, account)), NOW, LAST_ID, PAGE
    )


@pytest.mark.parametrize(("account", "count"), [("admin", 51), ("teacher", 51), ("mother", 8)])
async def test_a_page_of_deliveries_touches_its_page(crowded: Crowded, account: str, count: int) -> None:
    async with crowded.database.school(crowded.school_id) as connection:
        found = await _listed(account)(crowded, connection)
        touched = await explain(connection, lambda c: _listed(account)(crowded, c))
    assert len(found) >= count
    assert touched.rows <= ROWS * PAGE, touched
    assert touched.buffers <= BUFFERS * PAGE, touched


async def test_a_claim_touches_what_it_claims(crowded: Crowded) -> None:
    async with crowded.database.jobs() as connection:
        transaction = connection.transaction()
        await transaction.start()
        touched = await explain(connection, lambda c: queue.claim_deliveries(c, NOW, NOW, 16, 4, []))
        await transaction.rollback()
    assert "deliveries_due" in touched.indexes
    assert touched.rows <= ROWS * 20, touched
