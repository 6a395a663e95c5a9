"""GetJournalPage, 25 students by 20 and by 40 lessons, beside bare asyncpg that reads the same rows from the same tables."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg
import psycopg

from benchmarks import diary
from benchmarks.bench import Bench, side
from benchmarks.contest import Goal, Rival, Row
from benchmarks.diary import Course
from benchmarks.load import WARM_UP, Call, Client, Unit
from benchmarks.works import measure_work
from diary.journal.v1 import journal_service_pb2

READERS = 8
_UNITS, _COURSES = 400, 20
# Held and planned lessons of each course in the period that today belongs to.
_SIZES = """
SELECT l.course_id::text, count(*) FROM journal.lessons l
JOIN journal.periods p ON p.school_id = l.school_id AND now()::date BETWEEN p.start_date AND p.end_date
    AND l.lesson_date BETWEEN p.start_date AND p.end_date
GROUP BY l.course_id
"""
# No token, no permission, no names in parts, no work types: what a page is made of, and nothing of ours in the way.
_RAW = (
    """SELECT DISTINCT m.student_id, s.display_name, s.sort_key FROM journal.course_members m
    JOIN journal.students s ON s.school_id = $1 AND s.student_id = m.student_id
    WHERE m.school_id = $1 AND m.course_id = $2 ORDER BY s.sort_key""",
    """SELECT l.lesson_id, l.lesson_date, l.lesson_number, l.state, l.topic, l.homework, l.work_type_id, l.revision
    FROM journal.lessons l JOIN journal.periods p ON p.school_id = $1 AND now()::date BETWEEN p.start_date AND p.end_date
    WHERE l.school_id = $1 AND l.course_id = $2 AND l.lesson_date BETWEEN p.start_date AND p.end_date ORDER BY 2, 3""",
    """SELECT DISTINCT ON (r.mark_id) r.mark_id, r.lesson_id, r.student_id, r.value, r.revision
    FROM journal.mark_revisions r JOIN journal.periods p ON p.school_id = $1 AND now()::date BETWEEN p.start_date AND p.end_date
    WHERE r.school_id = $1 AND r.course_id = $2 AND r.lesson_date BETWEEN p.start_date AND p.end_date
    ORDER BY r.mark_id, r.revision DESC""",
    """SELECT a.lesson_id, a.student_id, a.code
    FROM journal.attendance a JOIN journal.periods p ON p.school_id = $1 AND now()::date BETWEEN p.start_date AND p.end_date
    WHERE a.school_id = $1 AND a.course_id = $2 AND a.lesson_date BETWEEN p.start_date AND p.end_date AND a.code > 0""",
)


@dataclass(frozen=True)
class Pages:
    """Teachers open their courses."""

    courses: tuple[Course, ...]
    warm_up: int = WARM_UP

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        async def read(client: Client) -> None:
            await client.send(journal_page(rng.choice(self.courses)))

        return read


@dataclass(frozen=True)
class RawPages:
    """Four statements a page by a pool of the service's login."""

    dsn: str
    courses: tuple[Course, ...]
    warm_up: int = WARM_UP

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        rng = random.Random(1)

        async def enter(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
            await connection.execute("SET role = 'diary_journal_app'")

        async with asyncpg.create_pool(self.dsn, min_size=READERS, max_size=READERS, init=enter, reset=_keep) as pool:

            async def read() -> None:
                course = rng.choice(self.courses)
                school_id, course_id = UUID(course.school_id), UUID(course.course_id)
                async with pool.acquire() as connection:
                    await connection.execute("SELECT set_config('diary.school_id', $1, false)", course.school_id)
                    for statement in _RAW:
                        await connection.fetch(statement, school_id, course_id)

            yield read


async def _keep(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Nothing is reset between two pages."""


def journal_page(course: Course) -> Call:
    """The teacher of a course opens it."""
    request = journal_service_pb2.GetJournalPageRequest(school_id=course.school_id, course_id=course.course_id)
    return Call(diary.GET_JOURNAL_PAGE, course.headers, request.SerializeToString())


def run(bench: Bench) -> list[Row]:
    """The courses whose page is nearest to the size."""
    with psycopg.connect(bench.running.admin_dsn) as database:
        sizes: dict[str, int] = dict(database.execute(_SIZES).fetchall())
    rows = []
    for lessons in (20, 40):
        nearest = sorted(bench.courses, key=lambda course: abs(sizes.get(course.course_id, 0) - lessons))[:_COURSES]
        has = sorted(sizes.get(course.course_id, 0) for course in nearest)[len(nearest) // 2]
        found = _run(bench, f"GetJournalPage, 25 x {lessons}", nearest)
        rows += [replace(row, against=f"{row.against}; {has} lessons in the median") for row in found]
    return rows


def _run(bench: Bench, work: str, courses: Sequence[Course]) -> list[Row]:
    units = bench.units(_UNITS)
    raw = RawPages(bench.running.region.app_dsn("journal"), tuple(courses))
    return bench.run(
        work,
        side(lambda _: diary.target(bench.running, Pages(diary.teach(bench.running, courses)), READERS, units)),
        [
            Rival(
                "bare asyncpg",
                lambda _: measure_work(raw, units, READERS, diary.postgres_of_journal(bench.running)),
                Goal(most=2),
            )
        ],
    )
