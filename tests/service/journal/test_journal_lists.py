"""A page of courses touches its page: 4,000 courses of ten years in 480 classes, as the product asks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from chassis.auth import NOBODY
from chassis.db import Database
from chassis.paging import FIRST_ID
from services.journal.marks.rules.journal_page import ListedCourse
from services.journal.marks.store import journal_page
from services.journal.marks.store.journal_page import CourseKey
from tests.support.backends import Clone
from tests.support.plans import explain

PAGE = 51
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
FIRST: CourseKey = ("", "", FIRST_ID)
# What a course of a page may cost in rows and in pages of the buffer cache: the classes of ten years lie in one order.
ROWS, BUFFERS = 4, 16
# Courses of a year: nineteen of twenty have a class; a class has eight.
OF_YEAR = 384


@dataclass
class Crowded:
    """A school in its tenth year."""

    database: Database
    school_id: UUID
    accounts: dict[str, UUID]


CLASSES = """
CREATE TEMPORARY TABLE crowd AS
SELECT n, n / 48 AS year, gen_random_uuid() AS class_id FROM generate_series(0, 479) n
"""
COURSES = """
WITH told AS (
    INSERT INTO classes (school_id, class_id, name, grades, sort_key, version)
    SELECT $1, class_id, 'c' || n % 48, ARRAY[1 + n % 11]::smallint[], lpad((1 + n % 11)::text, 2, '0') || n % 48, 1 FROM crowd
)
INSERT INTO courses (school_id, course_id, class_id, subject_name, group_name, sort_key, is_marked, teacher_names, start_date,
                     end_date, version)
SELECT $1, gen_random_uuid(), CASE WHEN k % 20 > 0 THEN c.class_id END, 'П' || k, '', md5(k::text), true, '{}',
       make_date(2017 + c.year, 9, 1), make_date(2018 + c.year, 5, 31), 1
FROM generate_series(0, 3999) k JOIN crowd c ON c.n = k % 480
"""
RELATIONS = """
INSERT INTO relations (school_id, relation_id, kind, object_id, account_id, role, version, valid_from_time)
SELECT $1, gen_random_uuid(), q.kind, q.object_id, q.account_id, q.role, 1, '2025-09-01'
FROM (
    SELECT 6 AS kind, $1::uuid AS object_id, $2::uuid AS account_id, 10 AS role
    UNION ALL (SELECT 5, course_id, $3, 5 FROM courses
               WHERE school_id = $1 AND end_date > '2027-01-01' ORDER BY sort_key LIMIT 12)
    UNION ALL (SELECT 4, class_id, $4, 6 FROM crowd WHERE year = 9 ORDER BY n LIMIT 1)
) AS q
"""
SCHOOL = """
INSERT INTO schools (school_id, name, time_zone, year_start_date, year_end_date, mark_min, version)
VALUES ($1, 'Школа', 'Europe/Moscow', '2026-09-01', '2027-05-31', 2, 1)
"""


@pytest_asyncio.fixture(scope="module")
async def crowded(clone: Clone) -> AsyncIterator[Crowded]:
    """The school, and its neighbour behind the wall."""
    admin = await asyncpg.connect(clone.admin_dsn, server_settings={"search_path": "journal"})
    for _ in range(2):
        school_id, accounts = uuid4(), {name: uuid4() for name in ("admin", "teacher", "class_teacher")}
        await admin.execute(CLASSES)
        await admin.execute(SCHOOL, school_id)
        await admin.execute(COURSES, school_id)
        await admin.execute(RELATIONS, school_id, *accounts.values())
        await admin.execute("DROP TABLE crowd")
    await admin.execute("VACUUM ANALYZE")
    await admin.close()
    database = await Database.connect(clone.app_dsns["journal"], "journal", size=1)
    yield Crowded(database, school_id, accounts)
    await database.close()


async def _list(of: Crowded, connection: Any, account: str, after: CourseKey) -> list[tuple[ListedCourse, CourseKey]]:
    who = replace(NOBODY, account_id=of.accounts[account])
    return await journal_page.list_courses(connection, of.school_id, who, NOW, after, PAGE)


async def _list_all(of: Crowded, connection: Any, account: str) -> list[CourseKey]:
    keys: list[CourseKey] = []
    while True:
        page = await _list(of, connection, account, keys[-1] if keys else FIRST)
        keys += [key for _, key in page[: PAGE - 1]]
        if len(page) < PAGE:
            return keys


@pytest.mark.parametrize(("account", "count"), [("admin", 51), ("teacher", 12), ("class_teacher", 8)])
async def test_a_page_of_courses_touches_its_page(crowded: Crowded, account: str, count: int) -> None:
    async with crowded.database.school(crowded.school_id) as connection:
        found = await _list(crowded, connection, account, FIRST)
        touched = await explain(connection, lambda c: _list(crowded, c, account, FIRST))
    assert count - 2 <= len(found) <= count
    assert touched.rows <= ROWS * PAGE, touched
    assert touched.buffers <= BUFFERS * PAGE, touched


async def test_a_page_from_the_middle_touches_its_page(crowded: Crowded) -> None:
    async with crowded.database.school(crowded.school_id) as connection:
        middle = (await _list_all(crowded, connection, "admin"))[OF_YEAR // 2]
        touched = await explain(connection, lambda c: _list(crowded, c, "admin", middle))
    assert touched.rows <= ROWS * PAGE, touched
    assert touched.buffers <= BUFFERS * PAGE, touched


async def test_pages_of_courses_are_the_year_in_order(crowded: Crowded, clone: Clone) -> None:
    async with crowded.database.school(crowded.school_id) as connection:
        listed = await _list_all(crowded, connection, "admin")
    admin = await asyncpg.connect(clone.admin_dsn)
    rows = await admin.fetch(
        """
        SELECT coalesce(k.sort_key, '~') AS class_key, c.sort_key, c.course_id
        FROM journal.courses c LEFT JOIN journal.classes k USING (school_id, class_id)
        WHERE c.school_id = $1 AND c.end_date > '2026-09-01' ORDER BY 1, 2, 3
        """,
        crowded.school_id,
    )
    await admin.close()
    assert listed == [tuple(row) for row in rows]
    assert len(listed) == OF_YEAR
