"""A generated region in the database: as the live path would have written it, the same each time, and open to sign-in."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from argon2 import PasswordHasher

from chassis.clock import SystemClock
from chassis.db import Database
from diary.access.v1 import events_pb2, roster_pb2
from services.access.rights.actions.relations import derive_relations
from services.access.seed import SeedError, Wish, seed
from tests.support.backends import Clone, PostgresServer

SMALL = Wish(schools=2, students=108, password="пароль для проб")


async def _seed(clone: Clone, wish: Wish = SMALL) -> list[str]:
    told: list[str] = []
    await seed(clone.admin_dsn, wish, SystemClock(), told.append)
    return told


async def test_relations_are_those_that_the_live_path_derives(clone: Clone, keeper: Any) -> None:
    await _seed(clone)
    events = await keeper.fetchval("SELECT count(*) FROM outbox")
    for school in await keeper.fetch("SELECT school_id FROM schools"):
        people = await keeper.fetch("SELECT person_id FROM people WHERE school_id = $1", school["school_id"])
        changed = await derive_relations(keeper, SystemClock(), school["school_id"], [row["person_id"] for row in people])
        assert changed == []
    assert await keeper.fetchval("SELECT count(*) FROM relations") > 300
    assert await keeper.fetchval("SELECT count(*) FROM outbox") == events


async def test_the_planner_knows_what_was_loaded(clone: Clone, keeper: Any) -> None:
    """Until it does, a page of a list costs a whole school, in the first minute of `make run` and in every benchmark."""
    await _seed(clone)
    for table in ("people", "grants", "relations", "account_people", "guardianships"):
        known = await keeper.fetchval("SELECT reltuples FROM pg_class WHERE oid = $1::regclass", table)
        assert known == await keeper.fetchval(f"SELECT count(*) FROM {table}"), table


async def test_the_same_seed_gives_the_same_rows(postgres: PostgresServer) -> None:
    ids = []
    for _ in range(2):
        clone = await postgres.clone(["access"])
        await _seed(clone)
        connection = await asyncpg.connect(clone.admin_dsn, server_settings={"search_path": "access"})
        ids.append(
            [
                await connection.fetch("SELECT person_id, family_name, birth_date FROM people ORDER BY 1"),
                await connection.fetch("SELECT relation_id, fact_id, account_id, valid_from_time FROM relations ORDER BY 1"),
                await connection.fetch("SELECT event_id, subject, payload FROM outbox ORDER BY 1"),
            ]
        )
        await connection.close()
    assert ids[0] == ids[1]


async def test_events_name_every_entry_at_most_500_at_once(clone: Clone, keeper: Any) -> None:
    await _seed(clone)
    named: dict[int, set[str]] = {}
    for row in await keeper.fetch("SELECT payload FROM outbox"):
        event = events_pb2.RosterChanged.FromString(row["payload"])
        assert 1 <= len(event.ids) <= 500
        named.setdefault(event.kind, set()).update(event.ids)
    tables = {
        roster_pb2.ROSTER_KIND_SCHOOL: "SELECT school_id FROM schools",
        roster_pb2.ROSTER_KIND_CLASS: "SELECT class_id FROM classes",
        roster_pb2.ROSTER_KIND_STUDENT: "SELECT student_id FROM students",
        roster_pb2.ROSTER_KIND_STUDY_GROUP: "SELECT study_group_id FROM study_groups",
        roster_pb2.ROSTER_KIND_RELATION: "SELECT relation_id FROM relations",
    }
    assert named == {kind: {str(row[0]) for row in await keeper.fetch(query)} for kind, query in tables.items()}


async def test_schools_stand_behind_the_wall(clone: Clone, keeper: Any) -> None:
    await _seed(clone)
    database = await Database.connect(clone.app_dsns["access"], "access")
    school_id = await keeper.fetchval("SELECT school_id FROM schools ORDER BY code LIMIT 1")
    async with database.school(school_id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM students") == 54
    await database.close()


async def test_all_accounts_have_the_one_password_and_the_operator_is_there(clone: Clone, keeper: Any, tmp_path: Path) -> None:
    logins = tmp_path / "logins.json"
    await _seed(clone, Wish(schools=2, students=108, logins=logins))
    shown = json.loads(logins.read_text())
    assert oct(logins.stat().st_mode)[-3:] == "600"
    hashes = {row["password_hash"] for row in await keeper.fetch("SELECT password_hash FROM accounts")}
    assert len(hashes) == 1
    assert PasswordHasher().verify(hashes.pop(), shown[0]["password"])
    known = {row["login"]: row["account_id"] for row in await keeper.fetch("SELECT login, account_id FROM accounts")}
    assert all(str(known[one["login"]]) == one["account_id"] for one in shown)
    roles = {"teacher", "guardian", "student", "head", "deputy", "secretary", "admin", "specialist", "operator"}
    assert {one["role"] for one in shown} == roles
    assert await keeper.fetchval("SELECT login FROM accounts WHERE is_operator") == "operator"


async def test_a_password_that_is_given_comes_from_a_file_and_is_told_to_nobody(
    clone: Clone, keeper: Any, tmp_path: Path
) -> None:
    given = tmp_path / "password"
    given.write_text("of-the-trial\n")
    environment = {"PATH": "", "DIARY_DATABASE_URL": clone.admin_dsn, "DIARY_ACCESS_DATABASE_URL": clone.app_dsns["access"]}
    size = ("--schools", "2", "--students", "108")
    command = [sys.executable, "-m", "services.access", "seed", *size, "--password-file", str(given), "--logins", "-"]
    done = await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, text=True, check=True)
    assert "of-the-trial" not in done.stdout + done.stderr
    shown = json.loads(done.stdout[done.stdout.index("[\n") :])
    assert {"guardian", "operator"} <= {one["role"] for one in shown}
    assert PasswordHasher().verify(await keeper.fetchval("SELECT password_hash FROM accounts LIMIT 1"), "of-the-trial")


async def test_a_second_seed_is_refused(clone: Clone) -> None:
    await _seed(clone)
    with pytest.raises(SeedError, match="holds a region already"):
        await _seed(clone)


async def test_progress_is_told_by_school(clone: Clone) -> None:
    told = await _seed(clone)
    assert [line.partition(":")[0] for line in told] == ["school 1 of 2", "school 2 of 2"]


def test_the_commands_say_what_stands_in_the_way(clone: Clone, tmp_path: Path) -> None:
    environment = {
        "PATH": "",
        "DIARY_DATABASE_URL": clone.admin_dsn,
        "DIARY_ACCESS_DATABASE_URL": clone.app_dsns["access"],
    }
    not_a_zip = tmp_path / "list.zip"
    not_a_zip.write_text("no ZIP")

    def run(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "services.access", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr.strip().splitlines()[-1]

    assert run("seed", "--schools", "3", "--students", "10") == (1, "a school needs 54 students: for 3 schools 162 or more")
    assert run("import-roster", str(not_a_zip), "--school", "x") == (
        1,
        "list.zip: не читается как ZIP; пришлите целый архив без пароля",
    )
    assert run("open-access", "--school", "x", "--person", "1") == (1, "no access was opened: no school has the code x")


async def test_the_office_numbers_on_after_the_generated_applications(clone: Clone, keeper: Any) -> None:
    """Clause R12: no number twice in a school's year."""
    await _seed(clone)
    last = await keeper.fetch(
        """
        SELECT school_id, extract(year FROM application_date)::int AS year,
               max(split_part(application_number, '-', 1)::int) AS number
        FROM grants GROUP BY school_id, year
        """
    )
    kept = await keeper.fetch("SELECT school_id, year, value FROM counters WHERE name = 'applications'")
    assert last
    assert {tuple(row.values()) for row in last} == {tuple(row.values()) for row in kept}
