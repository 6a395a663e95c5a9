"""Diary itself: a region of its own started by the launcher, and what families and teachers send to its journal."""

import asyncio
import os
import random
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import grpc
import psycopg

from benchmarks.cpu import postmaster_pid
from benchmarks.load import READS_PER_WRITE, Call, Client, Source, Target, Unit, grpc_client
from chassis.auth import Signer
from chassis.clock import SystemClock
from deploy.local import plan
from deploy.local.health import serves_grpc
from deploy.local.launcher import Launcher
from deploy.local.process import Process
from deploy.local.region import Region, Size
from diary.journal.v1 import diary_service_pb2, journal_service_pb2
from diary.journal.v1.diary_service_pb2_grpc import DiaryServiceStub
from diary.journal.v1.journal_service_pb2_grpc import JournalServiceStub
from diary.options.v1 import options_pb2

GET_DIARY_WEEK = "/diary.journal.v1.DiaryService/GetDiaryWeek"
GET_JOURNAL_PAGE = "/diary.journal.v1.JournalService/GetJournalPage"
RECORD_MARKS = "/diary.journal.v1.JournalService/RecordMarks"
RECORD_CLASS = "/diary.journal.v1.JournalService/RecordClass"
COURSES = 200  # drawn for the class writes
LESSONS = 3  # the last held of each
CLASS_SIZE = 25
FULL_WEEK = 25  # lessons; weeks with fewer are holidays

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Running:
    """A started region."""

    address: str  # of journal
    access: str
    admin_dsn: str
    journal_dsn: str  # of the role diary_journal_app
    keys_dir: Path
    nats_url: str
    pids: tuple[int, ...]  # of the journal's processes and of Postgres
    access_pids: tuple[int, ...]  # of access and of Postgres
    postmaster: int


@asynccontextmanager
async def running_region(size: Size) -> AsyncIterator[Running]:
    """Starts a region in a temporary folder, its journal in two processes on one port as on two pods."""
    folder = tempfile.mkdtemp(prefix="diary-bench-")
    os.chmod(folder, 0o711)  # Postgres runs under an account of its own and must get through
    try:
        tell = partial(print, "region:", flush=True)
        async with Launcher(Path(folder), size, tell, is_private=True, stages=_stages) as launcher:
            region = launcher.region
            postmaster = await asyncio.to_thread(postmaster_pid, region.admin_dsn)
            journals = (launcher.children["journal"].pid, launcher.children["journal-2"].pid)
            yield Running(
                address=region.address("journal"),
                access=region.address("access"),
                admin_dsn=region.admin_dsn,
                journal_dsn=region.app_dsn("journal"),
                keys_dir=region.state.keys,
                nats_url=region.nats_url("operator"),
                pids=(*journals, postmaster),
                access_pids=(launcher.children["access"].pid, postmaster),
                postmaster=postmaster,
            )
    finally:
        shutil.rmtree(folder)


def _stages(region: Region) -> Iterator[plan.Stage]:
    yield from plan.everything(region)
    environment = region.environment("journal") | {"DIARY_JOURNAL_METRICS_PORT": "0"}
    second = Process(
        "journal-2", [sys.executable, "-m", "services.journal", "serve"], region.state.log("journal-2"), environment
    )
    yield (plan.Child(second, partial(_is_second_up, region), ()),)


async def _is_second_up(region: Region) -> bool:
    # The first answers on the same port, so health cannot tell the two apart; the log can.
    return '"serving"' in region.state.log("journal-2").read_text() and await serves_grpc(region.address("journal"))


@dataclass(frozen=True)
class Family:
    """A guardian and a child."""

    school_id: str
    student_id: str
    headers: Headers


@dataclass(frozen=True)
class Course:
    """A course with its class and held lessons of the present period."""

    school_id: str
    course_id: str
    account_id: str  # of the teacher
    student_ids: tuple[str, ...]
    lesson_ids: tuple[str, ...]
    headers: Headers


@dataclass(frozen=True)
class DiaryWeeks:
    """Weeks of students drawn uniformly, a class's RecordMarks to fifty of them."""

    families: tuple[Family, ...]
    weeks: tuple[str, ...]
    courses: tuple[Course, ...]

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        async def read_or_write(client: Client) -> None:
            if rng.randrange(READS_PER_WRITE + 1) == 0:
                await _send_marks(client, record_marks(rng.choice(self.courses), rng))
            else:
                await client.send(diary_week(rng.choice(self.families), rng.choice(self.weeks)))

        return read_or_write


@dataclass(frozen=True)
class BareWeeks:
    """The same reads without tokens: what the echo gets."""

    families: tuple[Family, ...]
    weeks: tuple[str, ...]

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        async def read(client: Client) -> None:
            call = diary_week(rng.choice(self.families), rng.choice(self.weeks))
            await client.send(Call(call.path, (), call.body))

        return read


@dataclass(frozen=True)
class MarkWrites:
    """RecordMarks of whole classes only."""

    courses: tuple[Course, ...]

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        async def write(client: Client) -> None:
            await _send_marks(client, record_marks(rng.choice(self.courses), rng))

        return write


@dataclass(frozen=True)
class ClassWrites:
    """RecordClass: topic, marks and absences of a class. Each loop has a course of its own, for the etags."""

    courses: tuple[Course, ...]

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        lessons: dict[str, journal_service_pb2.Lesson] = {}

        async def write(client: Client) -> None:
            # One course a loop, whose page is opened once a round for the etags: it is the writes that are measured.
            course = self.courses[number]
            lesson_id = rng.choice(course.lesson_ids)
            if lesson_id not in lessons:
                lessons.update(await _lessons(client, course))
            answer = await client.send(record_class(course, lessons[lesson_id], rng))
            recorded = journal_service_pb2.RecordClassResponse.FromString(answer)
            if not _all_saved(recorded.outcomes):
                raise RuntimeError("RecordClass did not save all marks")
            lessons[lesson_id] = recorded.lesson

        return write


async def _send_marks(client: Client, call: Call) -> None:
    # A refused cell is OK to gRPC, and cheap: it must not pass for a write.
    if not _are_saved(await client.send(call)):
        raise RuntimeError("RecordMarks did not save all cells")


async def _lessons(client: Client, course: Course) -> dict[str, journal_service_pb2.Lesson]:
    request = journal_service_pb2.GetJournalPageRequest(school_id=course.school_id, course_id=course.course_id)
    answer = await client.send(Call(GET_JOURNAL_PAGE, course.headers, request.SerializeToString()))
    page = journal_service_pb2.GetJournalPageResponse.FromString(answer)
    return {lesson.lesson_id: lesson for lesson in page.lessons}


def diary_week(family: Family, week: str) -> Call:
    """A guardian opens a week."""
    request = diary_service_pb2.GetDiaryWeekRequest(school_id=family.school_id, student_id=family.student_id, week=week)
    return Call(GET_DIARY_WEEK, family.headers, request.SerializeToString())


def record_marks(course: Course, rng: random.Random, lesson_id: str = "") -> Call:
    """A teacher gives each student of the class a new mark in one lesson."""
    lesson_id = lesson_id or rng.choice(course.lesson_ids)
    request = journal_service_pb2.RecordMarksRequest(
        school_id=course.school_id, course_id=course.course_id, request_id=_new_id()
    )
    for student_id in course.student_ids:
        request.cells.add(mark_id=_new_id(), lesson_id=lesson_id, student_id=student_id, value=rng.randint(2, 5))
    return Call(RECORD_MARKS, course.headers, request.SerializeToString())


def record_class(course: Course, lesson: journal_service_pb2.Lesson, rng: random.Random) -> Call:
    """A teacher writes the topic, gives each student a new mark and notes two absent ones."""
    request = journal_service_pb2.RecordClassRequest(
        school_id=course.school_id,
        course_id=course.course_id,
        request_id=_new_id(),
        lesson_date=lesson.lesson_date,
        lesson_number=lesson.lesson_number,
        topic=f"Квадратные уравнения, {rng.randrange(1000)}",
        homework="№ 251, 253",
        work_type_id=lesson.work_type_id,
        etag=lesson.etag,
        attendance_etag=lesson.attendance_etag,
    )
    for student_id in course.student_ids:
        request.marks.add(mark_id=_new_id(), student_id=student_id, value=rng.randint(2, 5))
    for student_id in rng.sample(course.student_ids, 2):
        request.absences.add(student_id=student_id, code=journal_service_pb2.ABSENCE_CODE_ABSENT)
    return Call(RECORD_CLASS, course.headers, request.SerializeToString())


def _new_id() -> str:
    """A UUIDv7, as clients make them: the standard library has none before Python 3.14."""
    number = (time.time_ns() // 1_000_000) << 80 | random.getrandbits(80)
    return str(uuid.UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62))


def list_families(running: Running) -> tuple[Family, ...]:
    """A guardian for each student, with tokens that live five minutes from now: longer than a contest."""
    callers = _callers(running, options_pb2.RELATION_STUDENT, options_pb2.ROLE_GUARDIAN, "guardian")
    return tuple(Family(school, student, headers) for school, student, _, headers in callers)


def list_courses(running: Running) -> tuple[Course, ...]:
    """Courses of full classes in open periods, drawn at random, with the tokens of their teachers."""
    callers = _callers(running, options_pb2.RELATION_COURSE, options_pb2.ROLE_TEACHER, "teacher")
    rng = random.Random(1)
    rng.shuffle(callers)
    courses: list[Course] = []
    with grpc.insecure_channel(running.address) as channel:
        for school, course, account, headers in callers:
            request = journal_service_pb2.GetJournalPageRequest(school_id=school, course_id=course)
            page = JournalServiceStub(channel).GetJournalPage(request, metadata=headers)
            held = [lesson.lesson_id for lesson in page.lessons if lesson.state == journal_service_pb2.LESSON_STATE_HELD]
            students = [student.student_id for student in page.students][:CLASS_SIZE]
            if not held or not page.course.is_marked or page.period.is_closed or len(students) < CLASS_SIZE:
                continue
            full = Course(school, course, account, tuple(students), tuple(held[-LESSONS:]), headers)
            if all(_takes_marks(channel, full, lesson_id, rng) for lesson_id in full.lesson_ids):
                courses.append(full)
            if len(courses) == COURSES:
                break
    if not courses:
        raise SystemExit(f"benchmark: no course of {CLASS_SIZE} students has a held lesson in an open period")
    return tuple(courses)


def _takes_marks(channel: grpc.Channel, course: Course, lesson_id: str, rng: random.Random) -> bool:
    """Whether all students belonged to the course on that day."""
    call = record_marks(course, rng, lesson_id)
    method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(call.path)
    return _are_saved(method(call.body, metadata=call.headers))


def _are_saved(answer: bytes) -> bool:
    return _all_saved(journal_service_pb2.RecordMarksResponse.FromString(answer).outcomes)


def _all_saved(outcomes: Iterable[journal_service_pb2.MarkCellOutcome]) -> bool:
    return all(outcome.state == journal_service_pb2.CELL_STATE_SAVED for outcome in outcomes)


def _callers(running: Running, kind: int, role: int, role_name: str) -> list[tuple[str, str, str, Headers]]:
    """School, object, one account that may see it, and its headers, for every object."""
    signer = Signer(running.keys_dir / "token.pem", "token-", SystemClock())
    with psycopg.connect(running.admin_dsn) as connection:
        rows = connection.execute(
            "SELECT DISTINCT ON (object_id) school_id::text, object_id::text, account_id::text FROM journal.relations "
            "WHERE kind = %s AND role = %s AND coalesce(valid_to_time, 'infinity') > now() ORDER BY object_id, account_id",
            (kind, role),
        ).fetchall()
    return [(school, thing, account, _bearer(signer, account, role_name)) for school, thing, account in rows]


def _bearer(signer: Signer, account_id: str, role: str) -> Headers:
    token, _ = signer.sign("diary-access", account_id, {"sid": str(uuid.uuid4()), "roles": [role]})
    return (("authorization", f"Bearer {token}"),)


def find_weeks(running: Running, families: tuple[Family, ...]) -> tuple[tuple[str, ...], bytes]:
    """The weeks of the past three months that are no holidays, and the fullest answer seen: the bytes of the echo."""
    weeks: list[str] = []
    fullest = b""
    today = SystemClock().now().date()
    with grpc.insecure_channel(running.address) as channel:
        for back in range(13):
            year, number, _ = (today - timedelta(weeks=back)).isocalendar()
            week = f"{year}-W{number:02}"
            answers = [_get_week(channel, family, week) for family in families[:: len(families) // 20 or 1]]
            if max(len(answer.lessons) for answer in answers) >= FULL_WEEK:
                weeks.append(week)
            fullest = max(fullest, *(answer.SerializeToString() for answer in answers), key=len)
    if not weeks:
        raise SystemExit("benchmark: no week of the past three months has lessons")
    return tuple(weeks), fullest


def _get_week(channel: grpc.Channel, family: Family, week: str) -> diary_service_pb2.GetDiaryWeekResponse:
    request = diary_service_pb2.GetDiaryWeekRequest(school_id=family.school_id, student_id=family.student_id, week=week)
    return DiaryServiceStub(channel).GetDiaryWeek(request, metadata=family.headers)


def target(running: Running, source: Source, in_flight: int) -> Target:
    """The journal under load."""
    return Target(running.address, grpc_client, source, running.pids, in_flight)
