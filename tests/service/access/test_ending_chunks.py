"""Endings reach every target whatever their number: a request holds five hundred."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from chassis.clock import SystemClock
from chassis.db import Database
from chassis.errors import Unavailable
from chassis.relations import EndedSession, Relation
from services.access.rights.actions.endings import BATCH, Endings, Send
from services.access.rights.store import pushes
from tests.worlds.access import SchoolWorld
from tests.worlds.access_service import Backends

CLOCK = SystemClock()


class Target:
    """A service that confirms, or not, and remembers what it was sent."""

    def __init__(self) -> None:
        self.requests: list[tuple[UUID | None, list[UUID]]] = []
        self.confirms = 1_000

    async def send(self, school_id: UUID | None, relations: Sequence[Relation], sessions: Sequence[EndedSession]) -> bool:
        """Confirms as many requests as it was told to."""
        self.requests.append((school_id, [r.relation_id for r in relations] + [s.session_id for s in sessions]))
        self.confirms -= 1
        return self.confirms >= 0

    def received(self) -> list[UUID]:
        """Everything it was sent."""
        return sorted(ended for _, ids in self.requests for ended in ids)


@pytest_asyncio.fixture
async def database(backends: Backends) -> AsyncIterator[Database]:
    """The database of access."""
    found = await Database.connect(backends.clone.app_dsns["access"], "access", size=2)
    yield found
    await found.close()


@pytest.fixture
def targets() -> dict[str, Target]:
    """The three services."""
    return {name: Target() for name in pushes.TARGETS}


def _sends(targets: dict[str, Target]) -> dict[str, Send]:
    return {name: target.send for name, target in targets.items()}


async def _end(admin: Any, database: Database, school: SchoolWorld, count: int) -> list[pushes.Push]:
    """So many ended relations, as a rolled-over year or an orphanage's head leaves them; they wait for every target."""
    now = CLOCK.now()
    account_id = school.people["class_teacher"].account_id
    ids = [uuid4() for _ in range(count)]
    await admin.execute(
        """
        INSERT INTO relations (school_id, relation_id, kind, object_id, account_id, role, fact_id, version,
                               valid_from_time, valid_to_time)
        SELECT $1, id, 3, gen_random_uuid(), $2, 4, gen_random_uuid(), 2, $3, $3 FROM unnest($4::uuid[]) AS id
        """,
        school.school_id,
        account_id,
        now,
        ids,
    )
    async with database.school(school.school_id) as connection:
        await pushes.insert_relation_pushes(connection, school.school_id, ids, now)
    rows = await admin.fetch(
        "SELECT push_id, target, school_id, relation_id, session_id FROM ending_pushes WHERE school_id = $1", school.school_id
    )
    return [pushes.Push(**row) for row in rows]


async def test_six_hundred_and_twenty_endings_all_arrive(
    admin: Any, database: Database, school: SchoolWorld, targets: dict[str, Target]
) -> None:
    waiting = await _end(admin, database, school, 620)
    assert len(waiting) == 3 * 620
    await Endings(database, CLOCK, _sends(targets)).wait_for(waiting)
    for target in targets.values():
        assert target.received() == sorted({push.relation_id for push in waiting if push.relation_id})
        assert max(len(ids) for _, ids in target.requests) == BATCH
        assert {school_id for school_id, _ in target.requests} == {school.school_id}
    assert await admin.fetchval("SELECT count(*) FROM ending_pushes WHERE school_id = $1", school.school_id) == 0


async def test_only_what_was_in_a_confirmed_request_leaves_the_queue(
    admin: Any, database: Database, school: SchoolWorld, targets: dict[str, Target]
) -> None:
    waiting = await _end(admin, database, school, 620)
    targets["notify"].confirms = 1
    endings = Endings(database, CLOCK, _sends(targets))
    with pytest.raises(Unavailable, match="ENDING_PENDING"):
        await endings.wait_for(waiting)
    left = await admin.fetch("SELECT target, relation_id FROM ending_pushes WHERE school_id = $1", school.school_id)
    confirmed = set(targets["notify"].requests[0][1])
    assert {row["target"] for row in left} == {"notify"}
    assert {row["relation_id"] for row in left} == {push.relation_id for push in waiting} - confirmed
    targets["notify"].confirms = 1_000
    await endings.wait_for([push for push in waiting if push.target == "notify" and push.relation_id not in confirmed])
    assert await admin.fetchval("SELECT count(*) FROM ending_pushes WHERE school_id = $1", school.school_id) == 0


async def test_an_ending_that_was_not_sent_is_not_called_confirmed(
    database: Database, school: SchoolWorld, targets: dict[str, Target]
) -> None:
    unseen = pushes.Push(1, "journal", school.school_id, uuid4(), None)
    assert await Endings(database, CLOCK, _sends(targets)).push([unseen]) == {"journal"}


async def test_the_end_of_a_session_that_is_forgotten_waits_no_more(
    admin: Any, database: Database, targets: dict[str, Target]
) -> None:
    session_id = uuid4()
    async with database.region() as connection:
        await pushes.insert_session_pushes(connection, session_id, CLOCK.now())
        waiting = await pushes.list_pushes_of_session(connection, session_id)
    await Endings(database, CLOCK, _sends(targets)).wait_for(waiting)
    assert await admin.fetchval("SELECT count(*) FROM ending_pushes WHERE session_id = $1", session_id) == 0
