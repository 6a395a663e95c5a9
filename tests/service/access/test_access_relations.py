"""Relations follow their facts, whoever changes them and however many there are."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from chassis.clock import SystemClock
from chassis.db import Database
from chassis.migrate import migrate
from diary.access.v1 import events_pb2
from services.access.people.rules.roles import Role
from services.access.rights.actions.relations import derive_relations, write_relations
from services.access.rights.rules.relations import GrantFact, derive_from_grant
from tests.support.eventually import eventually
from tests.worlds.access import START, ZONE, SchoolWorld, connect, make_empty_school
from tests.worlds.access_service import Backends

CLOCK = SystemClock()


async def _versions(admin: Any, school: SchoolWorld) -> dict[str, int]:
    rows = await admin.fetch("SELECT relation_id, version FROM relations WHERE school_id = $1", school.school_id)
    return {str(row["relation_id"]): row["version"] for row in rows}


async def test_deriving_again_without_a_change_writes_nothing(admin: Any, school: SchoolWorld) -> None:
    before = await _versions(admin, school), await admin.fetchval("SELECT count(*) FROM outbox")
    await school.derive()
    assert (await _versions(admin, school), await admin.fetchval("SELECT count(*) FROM outbox")) == before


async def test_an_ended_appointment_ends_its_relations_and_is_pushed(admin: Any, school: SchoolWorld) -> None:
    teacher = school.people["class_teacher"]
    await admin.execute(
        "UPDATE appointments SET validity = daterange($2, $3) WHERE person_id = $1",
        teacher.person_id,
        START,
        START + timedelta(days=30),
    )
    await school.derive("class_teacher")
    rows = await admin.fetch(
        "SELECT relation_id, version, valid_to_time FROM relations WHERE account_id = $1", teacher.account_id
    )
    assert {(row["version"], row["valid_to_time"]) for row in rows} == {(2, datetime(2020, 9, 30, 21, tzinfo=UTC))}
    pushed = await admin.fetch(
        "SELECT relation_id, target FROM ending_pushes WHERE relation_id = ANY ($1)", [row["relation_id"] for row in rows]
    )
    assert len(pushed) == 6
    await admin.execute("DELETE FROM ending_pushes")


async def test_a_person_without_an_account_has_no_relation_until_one_is_given(admin: Any) -> None:
    school = await make_empty_school(admin)
    teacher = await school.add_person("teacher", "Учителев", "Иван")
    await school.appoint("teacher", Role.TEACHER)
    await admin.execute("DELETE FROM account_people WHERE account_id = $1", teacher.account_id)
    await school.derive()
    assert await _versions(admin, school) == {}
    await admin.execute(
        "INSERT INTO account_people (account_id, school_id, person_id) VALUES ($1, $2, $3)",
        teacher.account_id,
        school.school_id,
        teacher.person_id,
    )
    await school.derive()
    assert list((await _versions(admin, school)).values()) == [1]


async def test_a_bulk_derivation_tells_of_at_most_500_relations_an_event(admin: Any) -> None:
    school = await make_empty_school(admin)
    people = await admin.fetch(
        """
        WITH made AS (
            INSERT INTO people (school_id, family_name, given_name, sort_key)
            SELECT $1, 'Учителев', n::text, n::text FROM generate_series(1, 1201) n RETURNING person_id
        ), accounts AS (
            INSERT INTO accounts (login, password_hash, create_time)
            SELECT 'bulk-' || uuidv7(), '', now() FROM generate_series(1, 1201) RETURNING account_id
        ) SELECT person_id, account_id FROM
            (SELECT person_id, row_number() OVER () FROM made) p JOIN
            (SELECT account_id, row_number() OVER () FROM accounts) a USING (row_number)
        """,
        school.school_id,
    )
    await admin.executemany(
        "INSERT INTO account_people (account_id, school_id, person_id) VALUES ($2, $3, $1)",
        [(*row, school.school_id) for row in people],
    )
    await admin.executemany(
        """
        INSERT INTO appointments (school_id, person_id, role, order_number, order_date, validity)
        VALUES ($1, $2, 5, '1', '2020-08-28', '[2020-09-01,)')
        """,
        [(school.school_id, row["person_id"]) for row in people],
    )
    async with admin.transaction():
        changed = await derive_relations(admin, CLOCK, school.school_id, [row["person_id"] for row in people])
    assert len(changed) == 1201
    payloads = await admin.fetch("SELECT payload FROM outbox WHERE school_id = $1", school.school_id)
    told = [list(events_pb2.RosterChanged.FromString(row["payload"]).ids) for row in payloads]
    assert [len(ids) for ids in told] == [500, 500, 201]
    assert {relation for ids in told for relation in ids} == set(await _versions(admin, school))


async def test_a_bulk_derivation_does_not_bring_a_grant_back_that_ends_meanwhile(
    backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    grant_id, mother = school.grants["mother"], school.people["mother"]
    now = CLOCK.now()
    other = await connect(backends.clone.admin_dsn)
    async with admin.transaction():
        await admin.execute("UPDATE grants SET end_time = $2, end_ground = 'revoked' WHERE grant_id = $1", grant_id, now)

        async def derive() -> None:
            async with other.transaction():
                await derive_relations(other, CLOCK, school.school_id, [mother.person_id])

        bulk = asyncio.create_task(derive())
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'"
        watcher = await connect(backends.clone.admin_dsn)

        async def is_waiting() -> bool:
            return bool(await watcher.fetchval(waiting, other.get_server_pid()))

        await eventually(is_waiting, why="the bulk derivation waits for the grant")
        fact = GrantFact(
            grant_id,
            mother.account_id,
            Role.GUARDIAN,
            school.people["anna"].person_id,
            datetime(2025, 9, 1, 8, tzinfo=UTC),
            now,
        )
        await write_relations(admin, CLOCK, school.school_id, derive_from_grant(fact, ZONE))
    await bulk
    rows = await admin.fetch("SELECT version, valid_to_time FROM relations WHERE account_id = $1", mother.account_id)
    assert [tuple(row) for row in rows] == [(2, now)]
    await admin.execute("DELETE FROM ending_pushes")
    await other.close()
    await watcher.close()


REFUSED = [
    (
        "grants_one_open",
        """
        INSERT INTO grants SELECT (jsonb_populate_record(g, jsonb_build_object('grant_id', uuidv7()))).* FROM grants g
        WHERE grant_id = $1
        """,
    ),
    ("grants_follow_an_application", "UPDATE grants SET application_number = '' WHERE grant_id = $1"),
    ("grants_given_by_admin_or_class_teacher", "UPDATE grants SET granted_by_role = 9 WHERE grant_id = $1"),
    ("grants_guardian_has_guardianship", "UPDATE grants SET guardianship_id = NULL WHERE grant_id = $1"),
    (
        "grants_guardianship_is_the_holders",
        "UPDATE grants g SET student_id = (SELECT o.student_id FROM students o WHERE o.school_id = g.school_id "
        "AND o.student_id <> g.student_id) WHERE grant_id = $1",
    ),
    (
        "grants_account_is_the_holders",
        "UPDATE grants g SET account_id = g.granted_by_account_id WHERE grant_id = $1",
    ),
    ("grants_end_has_ground", "UPDATE grants SET end_time = now() WHERE grant_id = $1"),
    (
        "placements_within_enrolment",
        "UPDATE placements p SET validity = daterange('2019-01-01', NULL) FROM grants g "
        "WHERE g.grant_id = $1 AND p.student_id = g.student_id",
    ),
    (
        "placements_do_not_overlap",
        "INSERT INTO placements SELECT p.school_id, p.student_id, p.class_id, daterange('2026-01-01', NULL) "
        "FROM placements p JOIN grants g USING (student_id) WHERE g.grant_id = $1",
    ),
    (
        "appointments_class_is_of_class_teacher",
        "UPDATE appointments a SET role = 6 FROM grants g WHERE g.grant_id = $1 AND a.school_id = g.school_id AND a.role = 5",
    ),
    (
        "appointments_do_not_overlap",
        "INSERT INTO appointments SELECT a.school_id, uuidv7(), a.person_id, a.role, a.class_id, '8', now(), a.validity "
        "FROM appointments a JOIN grants g USING (school_id) WHERE g.grant_id = $1 AND a.role = 6",
    ),
]


@pytest.mark.parametrize(("constraint", "statement"), REFUSED, ids=[name for name, _ in REFUSED])
async def test_the_database_states_the_rule(admin: Any, school: SchoolWorld, constraint: str, statement: str) -> None:
    """Clauses R9, R10, R12 stand in the schema."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as failure:
        await admin.execute(statement, school.grants["mother"])
    assert failure.value.constraint_name == constraint


async def test_a_forgotten_school_shows_no_row_of_another(backends: Backends, admin: Any, school: SchoolWorld) -> None:
    other = await make_empty_school(admin)
    tables = await admin.fetch(
        "SELECT relname AS table_name FROM pg_class WHERE relnamespace = 'access'::regnamespace AND relrowsecurity"
    )
    assert {"people", "students", "grants", "relations", "study_group_members"} <= {row["table_name"] for row in tables}
    database = await Database.connect(backends.clone.app_dsns["access"], "access", size=1)
    for row in tables:
        async with database.school(other.school_id) as connection:
            foreign = f"SELECT count(*) FROM {row['table_name']} WHERE school_id <> $1"
            assert await connection.fetchval(foreign, other.school_id) == 0, row["table_name"]
        async with database.region() as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetchval(f"SELECT count(*) FROM {row['table_name']}")
    await database.close()


async def test_migrating_again_changes_nothing(backends: Backends) -> None:
    """Neither tables, indexes and functions nor rights and the noted version."""
    admin = await asyncpg.connect(backends.clone.admin_dsn)

    async def read() -> list[Any]:
        made = await admin.fetch(
            """
            SELECT oid::bigint, relname::text AS name, relacl::text AS rights FROM pg_class
            WHERE relnamespace = 'access'::regnamespace
            UNION ALL
            SELECT oid::bigint, proname::text || md5(prosrc), proacl::text FROM pg_proc
            WHERE pronamespace = 'access'::regnamespace ORDER BY 1
            """
        )
        return [*made, *await admin.fetch("SELECT version_num, xmin::text FROM access.alembic_version")]

    before = await read()
    await migrate(backends.clone.admin_dsn, backends.clone.app_dsns["access"], "access")
    assert await read() == before
    await admin.close()
