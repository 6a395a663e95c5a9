"""What a transaction locks waits for its end: two by hand, the second one turned away while the first holds."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from chassis.db import Database
from services.access.cases.store import applicants, applications
from services.access.people.rules.declarations import DeclarationForm, Declared, PaperReason, PrintoutWay
from services.access.people.store import declarations, people, schools
from services.access.rights.store import accounts, credentials, grants, pushes, relations, second_factors, sessions
from services.access.roster.store import leaving, openings
from tests.service.access.test_access_lists import NOW, Crowded, clone, crowded
from tests.support.backends import Clone

__all__ = ["clone", "crowded"]  # pytest finds fixtures by name

DIGEST = b"digest"
Act = Callable[[Crowded, Any], Awaitable[Any]]


@pytest_asyncio.fixture
async def late(clone: Clone) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """Another hand, which does not wait."""
    settings = {"search_path": "access", "lock_timeout": "200ms"}
    connection = await asyncpg.connect(clone.admin_dsn, server_settings=settings)
    yield connection
    await connection.close()


def _school(of: Crowded) -> AbstractAsyncContextManager[Any]:
    return of.database.school(of.world.school_id)


def _region(of: Crowded) -> AbstractAsyncContextManager[Any]:
    return of.database.region()


async def _case(of: Crowded, connection: Any) -> UUID:
    found: UUID = await connection.fetchval(
        "SELECT application_id FROM applications WHERE school_id = $1 ORDER BY 1 LIMIT 1", of.world.school_id
    )
    return found


async def _lock_case(of: Crowded, connection: Any) -> None:
    await applications.lock_case(connection, of.world.school_id, await _case(of, connection))


async def _lock_cases(of: Crowded, connection: Any) -> None:
    await applications.lock_cases(connection, of.world.school_id, [await _case(of, connection)])


async def _lock_session(of: Crowded, connection: Any) -> object:
    digest = await connection.fetchval("SELECT family_digest FROM sessions WHERE account_id = $1", of.account("mother"))
    return await sessions.lock_session(connection, digest, DIGEST)


async def _lock_guardianship(of: Crowded, connection: Any) -> object:
    guardianship_id = await connection.fetchval(
        "SELECT guardianship_id FROM guardianships WHERE school_id = $1 AND guardian_person_id = $2",
        of.world.school_id,
        of.world.people["mother"].person_id,
    )
    return await leaving.lock_guardianship(connection, of.world.school_id, guardianship_id, NOW.date())


async def _make_declaration(of: Crowded, connection: Any) -> UUID:
    declared = Declared(
        of.world.people["mother"].person_id,
        NOW.date(),
        PaperReason.DOES_NOT_WANT,
        False,
        PrintoutWay.NOT_SAID,
        "",
        DeclarationForm.SHEET,
    )
    made = await declarations.insert_declaration(
        connection, of.world.school_id, None, of.world.people["anna"].person_id, declared, of.account("admin"), date(2030, 9, 1)
    )
    return made.declaration_id


LOCKS: dict[str, tuple[Callable[[Crowded], AbstractAsyncContextManager[Any]], Act]] = {
    "a case": (_school, _lock_case),
    "cases": (_school, _lock_cases),
    "who registers about a student": (
        _school,
        lambda of, c: applicants.lock_registering(c, of.world.school_id, of.world.people["anna"].person_id),
    ),
    "a grant to revoke": (
        _school,
        lambda of, c: grants.lock_grant_to_revoke(c, of.world.school_id, of.account("admin"), NOW, of.world.grants["mother"]),
    ),
    "open grants of a student": (
        _school,
        lambda of, c: grants.lock_open_grants(c, of.world.school_id, of.world.people["anna"].person_id),
    ),
    "the account of a delivery": (
        _school,
        lambda of, c: credentials.lock_delivery_grant(c, of.world.school_id, of.world.grants["mother"]),
    ),
    "a guardianship": (_school, _lock_guardianship),
    "details of a school": (_school, lambda of, c: schools.lock_detailed(c, of.world.school_id)),
    "people": (_school, lambda of, c: people.lock_people(c, of.world.school_id, [of.world.people["mother"].person_id])),
    "a session": (_region, _lock_session),
    "attempts": (_region, lambda of, c: accounts.lock_attempts(c, [DIGEST], NOW)),
}


@pytest.mark.parametrize("name", LOCKS)
async def test_what_one_holds_the_other_waits_for(crowded: Crowded, late: Any, name: str) -> None:
    door, lock = LOCKS[name]
    async with door(crowded) as connection, connection.transaction():
        await lock(crowded, connection)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await lock(crowded, late)
    await lock(crowded, late)


async def test_a_second_factor_is_held(crowded: Crowded, late: Any) -> None:
    account_id = crowded.account("admin")
    async with crowded.database.region() as connection:
        await second_factors.save_secret(connection, account_id, "secret", NOW)
        async with connection.transaction():
            assert await second_factors.lock_factor(connection, account_id) is not None
            with pytest.raises(asyncpg.LockNotAvailableError):
                await second_factors.lock_factor(late, account_id)


async def test_a_declaration_is_held(crowded: Crowded, late: Any) -> None:
    school_id, student_id = crowded.world.school_id, crowded.world.people["anna"].person_id
    async with crowded.database.school(school_id) as connection:
        declaration_id = await _make_declaration(crowded, connection)
        async with connection.transaction():
            assert await declarations.find_listed(connection, school_id, student_id, declaration_id) is not None
            with pytest.raises(asyncpg.LockNotAvailableError):
                await declarations.find_listed(late, school_id, student_id, declaration_id)


async def test_one_who_gets_an_access_of_an_operator_is_held(clone: Clone, crowded: Crowded, late: Any) -> None:
    """As the owner, as the command works."""
    school_id, key = crowded.world.school_id, str(crowded.world.people["mother"].person_id)
    keeper = await asyncpg.connect(clone.admin_dsn, server_settings={"search_path": "access"})
    async with keeper.transaction():
        assert await openings.lock_candidate(keeper, school_id, key, NOW.date(), NOW) is not None
        with pytest.raises(asyncpg.LockNotAvailableError):
            await openings.lock_candidate(late, school_id, key, NOW.date(), NOW)
    await keeper.close()


_OF_PERSON = "SET validity = validity WHERE school_id = $1 AND person_id = $2"
SHARED: dict[str, tuple[str, Act, str]] = {
    "grants": (
        "mother",
        lambda of, c: relations.lock_grant_facts(c, of.world.school_id, [of.world.people["mother"].person_id]),
        "UPDATE grants SET grant_time = grant_time WHERE school_id = $1 AND holder_person_id = $2",
    ),
    "the open grant": (
        "mother",
        lambda of, c: grants.find_open_grant(c, of.world.school_id, of.world.people["anna"].person_id, of.account("mother")),
        "UPDATE grants SET grant_time = grant_time WHERE school_id = $1 AND holder_person_id = $2",
    ),
    "appointments": (
        "class_teacher",
        lambda of, c: relations.lock_appointment_facts(c, of.world.school_id, [of.world.people["class_teacher"].person_id]),
        f"UPDATE appointments {_OF_PERSON}",
    ),
    "teachings": (
        "teacher",
        lambda of, c: relations.lock_teaching_facts(c, of.world.school_id, [of.world.people["teacher"].person_id]),
        f"UPDATE study_group_teachers {_OF_PERSON}",
    ),
}


@pytest.mark.parametrize("name", SHARED)
async def test_a_fact_does_not_change_while_a_relation_is_derived_of_it(crowded: Crowded, late: Any, name: str) -> None:
    key, lock, change = SHARED[name]
    asked = crowded.world.school_id, crowded.world.people[key].person_id
    if name == "teachings":
        await crowded.world.add_study_group("8-А", "Алгебра", "teacher", "anna")
    async with _school(crowded) as connection, connection.transaction():
        assert await lock(crowded, connection)
        await lock(crowded, late)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await late.execute(change, *asked)
    assert await late.execute(change, *asked) == "UPDATE 1"


async def test_a_push_is_claimed_by_one(clone: Clone, crowded: Crowded) -> None:
    later = NOW + timedelta(hours=1)
    database = await Database.connect(clone.app_dsns["access"], "access", size=2)
    async with database.region() as connection:
        await pushes.insert_session_pushes(connection, crowded.world.people["mother"].session_id, NOW)
    async with database.jobs() as first, first.transaction():
        claimed = await pushes.claim_due_pushes(first, later, 100)
        assert len(claimed) == 3
        async with database.jobs() as second:
            assert await pushes.claim_due_pushes(second, later, 100) == []
    await database.close()
