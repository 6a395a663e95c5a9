"""The hot calls at 0.3, 3 and 20 million marks: CPU and p50 by size, and what a mark takes on disk.

A region is copied under new ids until it has so many marks. Each size is asked in the same way: families,
courses and lessons drawn over all schools, so the larger it is, the fewer pages are met twice.
"""

import argparse
import asyncio
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg

from benchmarks import diary
from benchmarks.contest import Row, show_ratio
from benchmarks.diary import Course
from benchmarks.diary_week import diary_week
from benchmarks.journal_page import journal_page
from benchmarks.load import Call, Client, Measure, Source, Unit, draw_week, measure
from chassis.auth import ServiceToken
from chassis.clock import SystemClock
from deploy.local.region import Size
from diary.journal.v1 import diary_service_pb2, journal_service_pb2

_MOST, _BYTES, _BYTES_AIM = 1.2, 360, 220
_UNITS, _FAMILIES, _COURSES = 400, 400, 40
# A region's server as the chart sets it up, not the launcher's for one machine.
_SETTINGS = {"shared_buffers": "6GB", "effective_cache_size": "12GB", "max_wal_size": "8GB", "maintenance_work_mem": "512MB"}
_SIZE = """
SELECT count(*), (SELECT sum(pg_total_relation_size(t::regclass)) FROM unnest(ARRAY['journal.mark_revisions',
    'journal.mark_batches', 'journal.course_chains']) AS t) FROM journal.mark_revisions
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
    """Needs some 1.5 GB of disk a million marks, twice while it grows."""
    return asyncio.run(_run(given))


async def _run(given: argparse.Namespace) -> list[Row]:
    async with diary.running_region(
        Size(given.schools, given.students), _SETTINGS | {"shared_buffers": given.shared_buffers}
    ) as running:
        # In a thread: the launcher watches over its children in this one.
        return await asyncio.to_thread(_measure, running, given)


def _measure(running: diary.Running, given: argparse.Namespace) -> list[Row]:
    found: dict[str, list[Measure]] = {}
    sizes: list[tuple[int, int]] = []
    with psycopg.connect(running.admin_dsn, autocommit=True) as database:
        [(originals, _)] = database.execute(_SIZE).fetchall()
        for millions in given.marks:
            copies = max(0, round(millions * 1e6 / originals) - 1)
            command = [sys.executable, "-m", "services.journal", "seed", "--copies", str(copies)]
            subprocess.run(command, env=running.region.environment("journal", with_admin=True), check=True)
            database.execute("CHECKPOINT")
            sizes += database.execute(_SIZE).fetchall()
            print(f"{sizes[-1][0]:,} marks, {sizes[-1][1] / sizes[-1][0]:.0f} bytes each", flush=True)
            for name, source in _sources(running, database):
                units = max(16, round(_UNITS * given.share))
                measured = measure(diary.target(running, source, 2, units), len(sizes))
                found.setdefault(name, []).append(measured)
                print(f"  {name:<16} CPU {measured.cpu_us:>7,.0f} us, p50 {measured.p50_ms:>6.2f} ms", flush=True)
    marks, taken = sizes[-1]
    each = taken / marks
    reached = "aim" if each <= _BYTES_AIM else "goal" if each <= _BYTES else "below"
    return [
        *(_compare(name, measures, sizes, given.shared_buffers) for name, measures in found.items()),
        Row("Bytes a mark", f"{each:.0f} at {marks:,}", goal=f"<= {_BYTES}, aim {_BYTES_AIM}", reached=reached),
    ]


def _compare(name: str, measures: list[Measure], sizes: list[tuple[int, int]], buffers: str) -> Row:
    ratio = measures[-1].cpu_us / measures[0].cpu_us
    shown = [
        f"{marks / 1e6:.1f} M: {measure.cpu_us:,.0f} us, p50 {measure.p50_ms:.2f} ms"
        for measure, (marks, _) in zip(measures, sizes, strict=True)
    ]
    return Row(
        "Growth",
        f"{name} {shown[-1]}",
        f"itself, smaller; shared_buffers {buffers}",
        "; ".join(shown[:-1]),
        show_ratio(ratio),
        f"<= {_MOST}x",
        "goal" if ratio <= _MOST else "below",
        rate=f"p50 {show_ratio(measures[-1].p50_ms / measures[0].p50_ms)}",
    )


def _sources(running: diary.Running, database: "psycopg.Connection[Any]") -> Iterator[tuple[str, Source]]:
    """The hot calls, each with new tokens."""
    rng, weeks = random.Random(9), diary.list_weeks(running)
    families = diary.list_families(running)
    families = rng.sample(families, min(_FAMILIES, len(families)))
    courses = diary.list_courses(running, _COURSES)
    asked = (diary_week(family, weeks[draw_week(len(weeks), rng)]) for family in diary.sign_in(running, families))
    yield "GetDiaryWeek", Calls(tuple(asked))
    yield "GetJournalPage", Calls(tuple(map(journal_page, diary.teach(running, courses))))
    yield "ListCourses", Calls(tuple(map(_list_courses, diary.teach(running, courses))))
    token = ServiceToken(running.keys_dir, "notify", SystemClock()).get()
    yield "BatchGetMarks", Calls(tuple(map(partial(_batch_get_marks, database, token), courses)))
    yield "RecordMarks", diary.MarkWrites(diary.teach(running, courses))


def _list_courses(course: Course) -> Call:
    request = journal_service_pb2.ListCoursesRequest(school_id=course.school_id)
    return Call("/diary.journal.v1.JournalService/ListCourses", course.headers, request.SerializeToString())


def _batch_get_marks(database: "psycopg.Connection[Any]", token: str, course: Course) -> Call:
    marks = [mark for (mark,) in database.execute(_MARKS, (course.school_id, course.course_id)).fetchall()]
    request = diary_service_pb2.BatchGetMarksRequest(school_id=course.school_id, mark_ids=marks)
    headers = (("authorization", f"Bearer {token}"),)
    return Call("/diary.journal.v1.DiaryService/BatchGetMarks", headers, request.SerializeToString())
