"""What the database itself keeps: the wall around the queue, indexes of the hot statements, a rebuilt projection."""

import json
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from chassis.clock import SystemClock
from chassis.db import Database
from chassis.projection import rebuild
from diary.access.v1 import roster_pb2, school_pb2
from services.notify.letters.consumers import KINDS
from services.notify.preferences import store as preferences
from services.notify.seed import read_addresses, seed
from tests.worlds.notify import Family, World


async def test_the_jobs_role_sees_only_what_it_needs_to_claim(world: World) -> None:
    database = await Database.connect(world.clone.app_dsns["notify"], "notify", size=1)
    async with database.jobs() as connection:
        await connection.fetch("SELECT school_id, delivery_id, kind, state, next_attempt_time, lease_end_time FROM deliveries")
        for column in ("account_id", "student_id", "mark_ids", "provider_answer", "grant_id", "applicant_id", "class_id"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(f"SELECT {column} FROM deliveries")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE deliveries SET state = 1")
    await database.close()


async def test_behind_the_schools_door_no_address_can_be_read(world: World) -> None:
    database = await Database.connect(world.clone.app_dsns["notify"], "notify", size=1)
    async with database.school(uuid4()) as connection:
        await connection.fetch("SELECT account_id FROM contact_points WHERE kind = 'email'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT address FROM contact_points")
    await database.close()


async def test_the_logins_of_a_generated_region_give_those_shown_their_address(world: World, tmp_path: Path) -> None:
    mother, father = uuid4(), uuid4()
    logins = tmp_path / "logins.json"
    shown = [{"account_id": str(mother), "email": "mother@family.example"}, {"account_id": str(father), "email": ""}, {}]
    logins.write_text(json.dumps(shown))
    database = await Database.connect(world.clone.app_dsns["notify"], "notify", size=1)
    await seed(database, read_addresses(logins), SystemClock())
    async with database.region() as connection:
        assert await preferences.find_address(connection, mother) == "mother@family.example"
        assert await preferences.find_address(connection, father) is None
    await database.close()


async def test_a_rebuild_fills_the_projection_from_access(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    families = [Family() for _ in range(3)]
    school_id = uuid4()
    school = roster_pb2.RosterSchool(school=school_pb2.School(school_id=str(school_id)))
    world.roster.put(str(school_id), roster_pb2.RosterEntry(school=school))
    for family in families:
        student = roster_pb2.RosterStudent(student_id=str(family.student_id), class_id=str(uuid4()), version=1)
        world.roster.put(str(school_id), roster_pb2.RosterEntry(student=student))
        world.roster.put_relation(str(school_id), family.relation())
    for _ in range(2):
        await rebuild("notify", world.settings(), world.settings().access_address, KINDS, None)
    assert capsys.readouterr().out == f"rebuild: school {school_id}: 6 roster entries\n" * 2
    for table in ("students", "relations"):
        rows = await world.rows(f"SELECT 1 FROM {table} WHERE school_id = $1", school_id)
        assert len(rows) == 3
