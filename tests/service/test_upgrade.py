"""The release before beside today's, in a small form: its code on today's schema, today's on its data. `make upgrade-test` runs
all of its service tests, and a whole region of its making.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from chassis.db import Database
from chassis.migrate import migrate
from chassis.paging import FIRST_ID
from services.access.people.rules.students import REGISTERING
from services.access.rights.store import grants
from services.access.roster.store import lists as roster
from tests.support.backends import PostgresServer
from tests.upgrade import environment, is_at_hand, pytest_command, read_release, unpack

pytestmark = pytest.mark.skipif(not is_at_hand(), reason=f"this clone has no commit {read_release()}, it is shallow")

STUDENTS = 54
# One write of each service, as the tests of that day ask for it.
WRITES = (
    "tests/service/journal/test_journal_marks.py::test_a_mark_is_seen_by_the_family_at_once",
    "tests/service/access/test_applications_granting.py::test_granting_opens_account_grant_relation_and_meets_the_deadline",
    "tests/service/documents/test_register.py::test_each_applicant_of_a_refused_case_gets_a_sealed_paper_with_number_and_code",
    "tests/service/notify/test_notify_marks.py::test_a_recorded_mark_becomes_one_letter",
)


@pytest_asyncio.fixture(scope="module")
async def yesterday(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """The tree of the release before."""
    folder = tmp_path_factory.mktemp("yesterday")
    unpack(folder)
    yield folder


async def _run(folder: Path, *command: str, **variables: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, **environment(folder), **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()[-4000:]


async def test_the_code_of_the_release_before_works_on_todays_schema(postgres: PostgresServer, yesterday: Path) -> None:
    await _run(yesterday, *pytest_command(*WRITES), DIARY_TEST_DATABASE_URL=postgres.admin_dsn)


async def test_todays_code_reads_what_the_release_before_has_written(
    postgres: PostgresServer, yesterday: Path, tmp_path: Path
) -> None:
    admin_dsn, like = (await postgres.clone()).admin_dsn, (await postgres.clone(["access"])).app_dsns["access"]
    app_dsn = urlunsplit(urlsplit(like)._replace(path=urlsplit(admin_dsn).path))
    logins = tmp_path / "logins.json"
    dsns = {"DIARY_DATABASE_URL": admin_dsn, "DIARY_ACCESS_DATABASE_URL": app_dsn}
    access = (sys.executable, "-m", "services.access")
    await _run(yesterday, *access, "migrate", **dsns)
    size = ("--schools", "1", "--students", str(STUDENTS))
    await _run(yesterday, *access, "seed", *size, "--logins", str(logins), **dsns)
    await migrate(admin_dsn, app_dsn, "access")

    office = next(UUID(one["account_id"]) for one in json.loads(logins.read_text()) if one["role"] == "admin")
    superuser = await asyncpg.connect(admin_dsn)
    school_id = await superuser.fetchval("SELECT school_id FROM access.schools")
    given = await superuser.fetchval("SELECT count(*) FROM access.grants WHERE end_time IS NULL")
    await superuser.close()
    database, now = await Database.connect(app_dsn, "access", size=1), datetime.now(UTC)
    async with database.school(school_id) as connection:
        students = await roster.list_listed_students(
            connection, school_id, office, now, REGISTERING, ("", FIRST_ID), 500, class_id=None
        )
        known = await grants.list_grants(connection, school_id, office, now, None, FIRST_ID, 500)
    await database.close()
    assert len(students) == STUDENTS
    assert len(known) == given > 0
