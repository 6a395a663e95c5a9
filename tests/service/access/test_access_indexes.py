"""The hot statements of one row or a few find them by an index; what lists touch stands in test_access_lists.py."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from services.access.store import (
    accounts,
    applications,
    callers,
    credentials,
    grants,
    people,
    pushes,
    relations,
    roster,
    sessions,
    statements,
)
from tests.support.access_region import GRANTED, SchoolWorld

ID, DIGEST, DAY = uuid4(), b"digest", GRANTED.date()


class _Explaining:
    """A connection that notes the indexes and sequential scans of each statement's plan, and then runs it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.indexes: set[str] = set()
        self.scanned: set[str] = set()

    async def _explain(self, statement: str, values: tuple[Any, ...]) -> None:
        [(plan,)] = await self._connection.fetch(f"EXPLAIN (FORMAT JSON) {statement}", *values)
        self._note(json.loads(plan)[0]["Plan"])

    def _note(self, node: dict[str, Any]) -> None:
        if "Index Name" in node:
            self.indexes.add(node["Index Name"])
        if node["Node Type"] == "Seq Scan":
            self.scanned.add(node["Relation Name"])
        for child in node.get("Plans", ()):
            self._note(child)

    async def fetch(self, statement: str, *values: Any) -> Any:
        await self._explain(statement, values)
        return await self._connection.fetch(statement, *values)

    async def fetchrow(self, statement: str, *values: Any) -> Any:
        await self._explain(statement, values)
        return await self._connection.fetchrow(statement, *values)

    async def fetchval(self, statement: str, *values: Any) -> Any:
        await self._explain(statement, values)
        return await self._connection.fetchval(statement, *values)


Call = Callable[[Any], Awaitable[object]]
HOT: list[tuple[str, Call, set[str]]] = [
    ("find_account", lambda c: accounts.find_account(c, "login", GRANTED), {"accounts_login_is_free"}),
    (
        "find_by_login",
        lambda c: credentials.find_by_login(c, "login", GRANTED),
        {"accounts_login_is_free", "one_time_passwords_one_live"},
    ),
    ("find_by_token", lambda c: credentials.find_by_token(c, DIGEST, GRANTED), {"activation_tokens_pkey", "accounts_pkey"}),
    (
        "list_applicants",
        lambda c: applications.list_applicants(c, ID, [ID], DAY, GRANTED),
        {"applicants_once_in_a_case", "deadlines_pkey", "account_people_whole"},
    ),
    ("list_log", lambda c: applications.list_log(c, ID, ID), {"case_log_by_application"}),
    ("find_slip_grant", lambda c: credentials.find_slip_grant(c, ID, ID, ID, GRANTED), {"grants_pkey", "applicants_by_grant"}),
    ("list_logins", lambda c: people.list_logins(c, "ivanova.mp"), {"accounts_login_is_free"}),
    ("lock_attempts", lambda c: accounts.lock_attempts(c, [DIGEST], GRANTED), set()),
    (
        "list_places",
        lambda c: accounts.list_places(c, ID),
        {"account_people_one_person_a_school", "schools_pkey"},
    ),
    (
        "lock_session",
        lambda c: sessions.lock_session(c, DIGEST, DIGEST),
        {
            "sessions_family_is_one_session",
            "sessions_refresh_digest_is_used_once",
            "sessions_by_previous_refresh_digest",
            "accounts_pkey",
        },
    ),
    ("is_known_address", lambda c: sessions.is_known_address(c, "login", DIGEST), {"accounts_login_is_free"}),
    # The session by its id or by its account, which has few: without statistics either costs the same.
    ("find_holder", lambda c: sessions.find_holder(c, ID, ID, GRANTED), {"accounts_pkey"}),
    ("get_standing", lambda c: relations.get_standing(c, ID, ID, ID, GRANTED), {"relations_by_account"}),
    ("list_roles", lambda c: relations.list_roles(c, ID, ID, GRANTED), {"relations_by_account"}),
    (
        "list_open_students",
        lambda c: callers.list_open_students(c, ID, ID, GRANTED),
        {"relations_by_account", "people_pkey", "placements_do_not_overlap", "classes_pkey"},
    ),
    (
        "list_own_grants",
        lambda c: grants.list_own_grants(c, ID, ID, DAY, None, ID, 51),
        {"applications_pkey", "applicants_by_grant"},
    ),
    (
        "list_own_declarations",
        lambda c: statements.list_own_declarations(c, ID, ID, ID, 51),
        {"paper_declarations_by_guardian"},
    ),
    (
        "lock_grant_to_revoke",
        lambda c: grants.lock_grant_to_revoke(c, ID, ID, GRANTED, ID),
        {"grants_pkey", "people_pkey", "relations_by_account", "placements_do_not_overlap"},
    ),
    (
        "warn_of_endings",
        lambda c: grants.warn_of_endings(c, ID, GRANTED, GRANTED),
        {"relations_ending", "account_people_pkey"},
    ),
    ("list_accounts_of_student", lambda c: grants.list_accounts_of_student(c, ID, ID), {"grants_by_student"}),
    (
        "list_pushes_of_fact",
        lambda c: pushes.list_pushes_of_fact(c, ID, ID),
        {"relations_one_of_a_kind_per_fact", "ending_pushes_by_relation"},
    ),
    (
        "list_pushes_of_session",
        lambda c: pushes.list_pushes_of_session(c, ID),
        {"ending_pushes_by_session"},
    ),
    ("list_relations", lambda c: relations.list_relations(c, ID, None, ID, 50), {"relations_pkey"}),
    ("list_students", lambda c: roster.list_students(c, ID, None, ID, 50, DAY), {"students_pkey", "people_pkey"}),
    (
        "list_study_groups",
        lambda c: roster.list_study_groups(c, ID, None, ID, 50, DAY),
        {"study_groups_pkey", "study_group_teachers_do_not_overlap", "study_group_members_do_not_overlap"},
    ),
]


@pytest.mark.parametrize(("call", "indexes"), [hot[1:] for hot in HOT], ids=[hot[0] for hot in HOT])
async def test_a_hot_statement_finds_its_rows_by_index(admin: Any, school: SchoolWorld, call: Call, indexes: set[str]) -> None:
    """Few rows make a scan cheapest, so scans are priced out: what is left shows whether an index serves the question."""
    explaining = _Explaining(admin)
    async with admin.transaction():
        await admin.execute("SET LOCAL enable_seqscan = off")
        await call(explaining)
    assert explaining.scanned == set()
    assert indexes <= explaining.indexes
