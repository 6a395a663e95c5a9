"""The hot calls of a region at 3 and 20 million marks beside a region at 0.3, and what a mark takes on disk.

Both run at the same time, so that they can take turns; the larger grows by copies under new ids. Each is asked in the same way:
families, courses and lessons drawn over all schools, so the larger it is, the fewer pages are met twice.
"""

import argparse
import asyncio
import random
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import partial

import psycopg

from benchmarks import contest, diary
from benchmarks.bench import side
from benchmarks.contest import Goal, Rival, Row, Side
from benchmarks.diary import Course, diary_week
from benchmarks.journal_page import journal_page
from benchmarks.load import Call, Client, Source, Unit, draw_week
from chassis.auth import ServiceToken
from chassis.clock import SystemClock
from deploy.local.region import Size
from diary.journal.v1 import diary_service_pb2, journal_service_pb2

_MOST, _BYTES, _BYTES_AIM = 1.2, 360, 220
_CALLS = ("GetDiaryWeek", "GetJournalPage", "ListCourses", "BatchGetMarks", "RecordMarks")
_UNITS, _FAMILIES, _COURSES = 400, 400, 40
# A region's server as the chart sets it up, not the launcher's for one machine.
_SETTINGS = {"shared_buffers": "6GB", "effective_cache_size": "12GB", "max_wal_size": "8GB", "maintenance_work_mem": "512MB"}
_SIZE = """
SELECT count(*), (SELECT sum(pg_total_relation_size(t::regclass)) FROM unnest(ARRAY['journal.mark_revisions',
    'journal.mark_batches', 'journal.course_chains']) AS t) FROM journal.mark_revisions
"""
# Marks of the schools that were generated.
_PRESENT = """
SELECT count(*) FROM journal.mark_revisions
JOIN journal.schools USING (school_id) WHERE name NOT LIKE '% (копия %)'
"""
_MARKS = """
SELECT mark_id::text FROM journal.mark_revisions WHERE school_id = %s AND course_id = %s ORDER BY lesson_date DESC LIMIT 25
"""


@dataclass(frozen=True)
class Calls:
    """One of these, drawn anew each time."""

    calls: tuple[Call, ...]
    warm_up: int = 50

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        async def ask(client: Client) -> None:
            await client.send(rng.choice(self.calls))

        return ask


def run(given: argparse.Namespace) -> list[Row]:
    """Needs some 1.5 GB of disk a million marks."""
    return asyncio.run(_run(given))


async def _run(given: argparse.Namespace) -> list[Row]:
    size, settings = Size(given.schools, given.students), _SETTINGS | {"shared_buffers": given.shared_buffers}
    async with diary.running_region(size, settings) as small, diary.running_region(size, settings) as large:
        # In a thread: the launcher watches over its children in this one.
        return await asyncio.to_thread(_measure, small, large, given)


def _measure(small: diary.Running, large: diary.Running, given: argparse.Namespace) -> list[Row]:
    rows = []
    least = _grow(small, given.marks[0])
    base = Asked(small)
    for millions in given.marks[1:]:
        most = _grow(large, millions)
        grown = Asked(large)
        against = f"itself at {least.marks / 1e6:.2g} M; shared_buffers {given.shared_buffers}"
        for name in _CALLS:
            ours, theirs = (_side(asked, name, max(16, round(_UNITS * given.share))) for asked in (grown, base))
            [row] = contest.run(f"{name} at {millions} M", ours, [Rival(against, theirs, Goal(most=_MOST))], given.rounds)
            rows.append(replace(row, work="Growth", ours=f"{name} at {most.marks / 1e6:.2g} M {row.ours}"))
        reached = "aim" if most.bytes <= _BYTES_AIM else "goal" if most.bytes <= _BYTES else "below"
        shown = f"{most.bytes:.0f} at {most.marks / 1e6:.2g} M"
        rows.append(Row("Bytes a mark", shown, goal=f"<= {_BYTES}, aim {_BYTES_AIM}", reached=reached))
    return rows


@dataclass(frozen=True)
class Grown:
    """How large a region has become."""

    marks: int
    bytes: float  # a mark


def _grow(running: diary.Running, millions: float) -> Grown:
    with psycopg.connect(running.admin_dsn, autocommit=True) as database:
        [(marks,)] = database.execute(_PRESENT).fetchall()
        copies = max(0, round(millions * 1e6 / marks) - 1)
        command = [sys.executable, "-m", "services.journal", "seed", "--copies", str(copies)]
        subprocess.run(command, env=running.region.environment("journal", with_admin=True), check=True)
        database.execute("CHECKPOINT")
        [(marks, taken)] = database.execute(_SIZE).fetchall()
    print(f"{marks:,} marks, {taken / marks:.0f} bytes each", flush=True)
    return Grown(marks, taken / marks)


def _side(asked: "Asked", name: str, units: int) -> Side:
    return side(lambda _: diary.target(asked.running, asked.source(name), 2, units))


class Asked:
    """What is asked of a region: families, courses and lessons drawn over all its schools."""

    def __init__(self, running: diary.Running) -> None:
        self.running = running
        rng, weeks = random.Random(9), diary.list_weeks(running)
        families = diary.list_families(running)
        self._families = rng.sample(families, min(_FAMILIES, len(families)))
        self._weeks = [weeks[draw_week(len(weeks), rng)] for _ in self._families]
        self._courses = diary.list_courses(running, _COURSES)
        with psycopg.connect(running.admin_dsn) as database:
            given = [(course.school_id, course.course_id) for course in self._courses]
            self._marks = [[mark for (mark,) in database.execute(_MARKS, keys).fetchall()] for keys in given]

    def source(self, name: str) -> Source:
        """Calls with new tokens."""
        courses = diary.teach(self.running, self._courses)
        match name:
            case "GetDiaryWeek":
                families = diary.sign_in(self.running, self._families)
                return Calls(tuple(map(diary_week, families, self._weeks)))
            case "GetJournalPage":
                return Calls(tuple(map(journal_page, courses)))
            case "ListCourses":
                return Calls(tuple(map(_list_courses, courses)))
            case "BatchGetMarks":
                token = ServiceToken(self.running.keys_dir, "notify", SystemClock()).get()
                return Calls(tuple(map(partial(_batch_get_marks, token), courses, self._marks)))
            case _:
                return diary.MarkWrites(courses)


def _list_courses(course: Course) -> Call:
    request = journal_service_pb2.ListCoursesRequest(school_id=course.school_id)
    return Call("/diary.journal.v1.JournalService/ListCourses", course.headers, request.SerializeToString())


def _batch_get_marks(token: str, course: Course, marks: list[str]) -> Call:
    request = diary_service_pb2.BatchGetMarksRequest(school_id=course.school_id, mark_ids=marks)
    headers = (("authorization", f"Bearer {token}"),)
    return Call("/diary.journal.v1.DiaryService/BatchGetMarks", headers, request.SerializeToString())
