"""Questions about one touch a few rows, as the app at the product's door, in the crowded school of test_access_lists.py."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.auth import Caller
from services.access.cases.store import applicants, case_log
from services.access.people.store import declarations as statements
from services.access.rights.store import accounts, callers, credentials, grants, pushes, relations, sessions
from services.access.roster.store import lists as roster
from tests.service.access.test_access_lists import NOW, Crowded, clone, crowded
from tests.support.plans import explain

__all__ = ["clone", "crowded"]  # pytest finds fixtures by name

# What a question about one may touch; the clone has 4,000 cases, 3,000 people and 1,200 accesses of each of two schools.
ROWS, BUFFERS = 60, 120
ID, DIGEST, DAY = uuid4(), b"digest", NOW.date()

Lookup = Callable[[Crowded, Any], Awaitable[object]]
OF_REGION: dict[str, Lookup] = {
    "find_account": lambda of, c: accounts.find_account(c, of.world.people["mother"].login, NOW),
    "find_by_login": lambda of, c: credentials.find_by_login(c, of.world.people["mother"].login, NOW),
    "find_by_token": lambda of, c: credentials.find_by_token(c, DIGEST, NOW),
    "lock_attempts": lambda of, c: accounts.lock_attempts(c, [DIGEST], NOW),
    "list_places": lambda of, c: accounts.list_places(c, of.account("mother")),
    "lock_session": lambda of, c: sessions.lock_session(c, DIGEST, DIGEST),
    "is_known_address": lambda of, c: sessions.is_known_address(c, of.world.people["mother"].login, DIGEST),
    "find_holder": lambda of, c: sessions.find_holder(c, of.world.people["mother"].session_id, of.account("mother"), NOW),
    "list_pushes_of_session": lambda of, c: pushes.list_pushes_of_session(c, ID),
}
OF_SCHOOL: dict[str, Lookup] = {
    "list_applicants": lambda of, c: applicants.list_applicants(c, of.world.school_id, [ID], DAY, NOW),
    "list_log": lambda of, c: case_log.list_log(c, of.world.school_id, ID),
    "find_slip_grant": lambda of, c: credentials.find_slip_grant(
        c, of.world.school_id, of.world.grants["mother"], of.account("admin"), NOW
    ),
    "list_logins": lambda of, c: accounts.list_logins(c, "ivanova.mp"),
    "get_scene": lambda of, c: relations.get_scene(
        c,
        of.world.school_id,
        Caller(of.account("class_teacher"), of.world.people["class_teacher"].session_id, frozenset()),
        NOW,
    ),
    "list_roles": lambda of, c: relations.list_roles(c, of.world.school_id, of.account("class_teacher"), NOW),
    "list_open_students": lambda of, c: callers.list_open_students(c, of.world.school_id, of.account("mother"), NOW),
    "list_own_grants": lambda of, c: grants.list_own_grants(
        c, of.world.school_id, of.account("mother"), DAY, None, UUID(int=2**128 - 1), 51
    ),
    "list_own_declarations": lambda of, c: statements.list_own_declarations(
        c, of.world.school_id, of.account("mother"), UUID(int=2**128 - 1), 51
    ),
    "lock_grant_to_revoke": lambda of, c: grants.lock_grant_to_revoke(
        c, of.world.school_id, of.account("class_teacher"), NOW, of.world.grants["mother"]
    ),
    "list_accounts_of_student": lambda of, c: grants.list_accounts_of_student(
        c, of.world.school_id, of.world.people["anna"].person_id
    ),
    "list_pushes_of_fact": lambda of, c: pushes.list_pushes_of_fact(c, of.world.school_id, of.world.grants["mother"]),
    "list_relations": lambda of, c: relations.list_relations(c, of.world.school_id, [ID], ID, 50),
    "list_students": lambda of, c: roster.list_students(
        c, of.world.school_id, [of.world.people["anna"].person_id], uuid4(), 50, DAY
    ),
    "list_study_groups": lambda of, c: roster.list_study_groups(c, of.world.school_id, [ID], ID, 50, DAY),
}


@pytest.mark.parametrize("name", OF_REGION)
async def test_a_question_of_the_region_about_one_touches_a_few(crowded: Crowded, name: str) -> None:
    async with crowded.database.region() as connection, connection.transaction():
        touched = await explain(connection, lambda c: OF_REGION[name](crowded, c))
    assert touched.rows <= ROWS, touched
    assert touched.buffers <= BUFFERS, touched


@pytest.mark.parametrize("name", OF_SCHOOL)
async def test_a_question_of_a_school_about_one_touches_a_few(crowded: Crowded, name: str) -> None:
    async with crowded.database.school(crowded.world.school_id) as connection, connection.transaction():
        touched = await explain(connection, lambda c: OF_SCHOOL[name](crowded, c))
    assert touched.rows <= ROWS, touched
    assert touched.buffers <= BUFFERS, touched


async def test_a_round_of_warnings_touches_the_accesses_that_end(crowded: Crowded) -> None:
    """Clause R6: of 400 that end within the month none ends now."""
    async with crowded.database.school(crowded.world.school_id) as connection:
        transaction = connection.transaction()
        await transaction.start()
        touched = await explain(connection, lambda c: grants.warn_of_endings(c, crowded.world.school_id, NOW, NOW))
        await transaction.rollback()
    assert touched.rows <= ROWS, touched
