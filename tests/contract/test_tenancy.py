"""The wall between schools, read from the migrated database: every table is a region table by name, or stands behind it."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from chassis.db import Database
from tests.contract.rights import write_rights
from tests.support.backends import Clone, PostgresServer

SERVICES = ("access", "journal", "notify", "documents")
_CHASSIS = {"outbox", "outbox_streams", "inbox", "dead_events", "event_attempts", "requests", "alembic_version"}
# Region tables by name: of no school, reached by db.region(). Whoever adds one says here why it has no wall.
REGION_TABLES = {
    # Credentials belong to an account, which may have people in several schools; endings of sessions have no school.
    "access": _CHASSIS
    | {"schools", "accounts", "account_people", "sessions", "sign_in_failures", "second_factors", "ending_pushes"}
    | {"one_time_passwords", "activation_tokens"},
    "journal": _CHASSIS | {"ended_sessions"},
    # An address belongs to an account, whatever the school.
    "notify": _CHASSIS | {"ended_sessions", "contact_points"},
    # Anyone verifies a paper by its code or file, whatever the school: no names.
    "documents": _CHASSIS | {"ended_sessions", "sealed_documents", "schools_by_code", "print_run_digests"},
}
# Every grant on a table or a column, every policy and every function with its owner's rights: who changes one changes this
# file by hand or by what the test has written, and the change is read like any other.
RIGHTS = Path(__file__).with_name("rights.txt")
_FOUND = Path(__file__).resolve().parents[2] / ".diary" / "rights.txt"

_KEYS = """
SELECT c.relname AS table_name, k.conname AS key_name, k.confrelid::regclass::text AS other_table,
       array(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number ORDER BY u.place) AS columns
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND k.contype IN ('p', 'u', 'f', 'x')
"""


_INSERT_SCHOOL = """
INSERT INTO access.schools (school_id, code, name, full_name, time_zone) VALUES ($1, $2, 'Школа', 'Школа', 'Europe/Simferopol')
"""
_INSERT_YEAR = "INSERT INTO access.school_years (school_id, name, validity) VALUES ($1, '2026/27', '[2026-09-01,2027-05-26]')"
_INSERT_RELATION = """
INSERT INTO {service}.relations (school_id, relation_id, kind, object_id, account_id, role, version, valid_from_time)
VALUES ($1, gen_random_uuid(), 3, gen_random_uuid(), gen_random_uuid(), 4, 1, now())
"""


@pytest_asyncio.fixture(scope="module")
async def clone(postgres: PostgresServer) -> Clone:
    """A database with all schemas."""
    return await postgres.clone(SERVICES)


@pytest_asyncio.fixture(scope="module")
async def admin(clone: Clone) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """The superuser, who sees the catalogue."""
    connection = await asyncpg.connect(clone.admin_dsn)
    yield connection
    await connection.close()


async def _tables(admin: "asyncpg.Connection[asyncpg.Record]", service: str) -> "Sequence[asyncpg.Record]":
    return await admin.fetch(
        """
        SELECT c.relname AS name, c.relrowsecurity AS is_walled, pg_get_userbyid(c.relowner) AS owner
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
        """,
        service,
    )


async def _school_tables(admin: "asyncpg.Connection[asyncpg.Record]", service: str) -> set[str]:
    return {row["name"] for row in await _tables(admin, service)} - REGION_TABLES[service]


@pytest.mark.parametrize("service", SERVICES)
async def test_every_named_region_table_exists(admin: "asyncpg.Connection[asyncpg.Record]", service: str) -> None:
    assert {row["name"] for row in await _tables(admin, service)} >= REGION_TABLES[service]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_school_table_has_row_security_with_both_halves(
    admin: "asyncpg.Connection[asyncpg.Record]", service: str
) -> None:
    schools = await _school_tables(admin, service)
    walled = {row["name"] for row in await _tables(admin, service) if row["is_walled"]}
    assert schools <= walled, f"without row security: {schools - walled}"
    policies = await admin.fetch(
        "SELECT tablename, policyname, roles, qual, with_check FROM pg_policies WHERE schemaname = $1", service
    )
    for table in schools:
        general = [p for p in policies if p["tablename"] == table and "jobs" not in "".join(p["roles"])]
        assert len(general) == 1, f"{table} needs exactly one policy of the school"
        for half in ("qual", "with_check"):
            assert "diary.school_id" in (general[0][half] or ""), f"{table} lacks {half}"


@pytest.mark.parametrize("service", SERVICES)
async def test_school_id_leads_every_key_of_a_school_table(admin: "asyncpg.Connection[asyncpg.Record]", service: str) -> None:
    schools = await _school_tables(admin, service)
    wrong = [
        f"{row['table_name']}.{row['key_name']}"
        for row in await admin.fetch(_KEYS, service)
        if row["table_name"] in schools
        and row["columns"][0] != "school_id"
        # A reference to a region table, such as the account that did it, has no school to lead with.
        and row["other_table"].removeprefix(f"{service}.") not in REGION_TABLES[service]
    ]
    assert wrong == []


@pytest.mark.parametrize("service", SERVICES)
async def test_the_service_logs_in_as_one_who_owns_nothing_and_bypasses_nothing(
    admin: "asyncpg.Connection[asyncpg.Record]", service: str
) -> None:
    role = await admin.fetchrow(
        "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = $1", f"diary_{service}_app"
    )
    assert role is not None
    assert not any(role.values())
    assert {row["owner"] for row in await _tables(admin, service)} == {f"diary_{service}_owner"}


async def test_every_right_and_policy_is_a_known_one(admin: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Clause R3: what a role may see of schools, to the column."""
    found = "".join([f"{line}\n" for service in SERVICES for line in await write_rights(admin, service)])
    _FOUND.parent.mkdir(exist_ok=True)
    _FOUND.write_text(found)
    assert found == RIGHTS.read_text(), f"read the difference, and copy {_FOUND.name} of .diary over it if it is meant"


@pytest.mark.parametrize("service", SERVICES)
async def test_no_service_may_read_another_services_tables(admin: "asyncpg.Connection[asyncpg.Record]", service: str) -> None:
    for other in set(SERVICES) - {service}:
        assert not await admin.fetchval("SELECT has_schema_privilege($1, $2, 'USAGE')", f"diary_{service}_app", other)


@pytest.mark.parametrize("service", SERVICES)
async def test_the_app_role_deletes_nothing_of_a_school(admin: "asyncpg.Connection[asyncpg.Record]", service: str) -> None:
    for table in await _school_tables(admin, service):
        has = await admin.fetchval("SELECT has_table_privilege($1, $2, 'DELETE')", f"diary_{service}_app", f"{service}.{table}")
        assert not has, table


@pytest.mark.parametrize("service", SERVICES)
async def test_a_forgotten_where_shows_nothing_of_another_school(
    admin: "asyncpg.Connection[asyncpg.Record]", clone: Clone, service: str
) -> None:
    """Clause R3: each school is its own provider of the service."""
    ours, theirs = uuid4(), uuid4()
    if service == "access":
        table, insert = "school_years", _INSERT_YEAR
        for school in (ours, theirs):
            await admin.execute(_INSERT_SCHOOL, school, school.hex[:8])
    else:
        table, insert = "relations", _INSERT_RELATION.format(service=service)
    for school in (ours, theirs):
        await admin.execute(insert, school)
    database = await Database.connect(clone.app_dsns[service], service, size=1)
    async with database.school(ours) as connection:
        assert {row["school_id"] for row in await connection.fetch(f"SELECT school_id FROM {table}")} == {ours}
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(insert, theirs)
    async with database.region() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT school_id FROM {table}")
    async with database.school(theirs) as connection:
        assert {row["school_id"] for row in await connection.fetch(f"SELECT school_id FROM {table}")} == {theirs}
    await database.close()
