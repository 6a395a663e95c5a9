"""Diary itself: a region of its own started by the launcher, and what families and teachers send to its journal."""

import asyncio
import hashlib
import os
import random
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import nats
import psycopg

from benchmarks.cpu import Part, postmaster_pid
from benchmarks.load import WARM_UP, Call, Client, Source, Target, Unit, grpc_client
from chassis.auth import Signer
from chassis.clock import SystemClock
from deploy.local import plan
from deploy.local.health import serves_grpc
from deploy.local.launcher import Launcher
from deploy.local.process import Process
from deploy.local.region import Region, Size
from diary.journal.v1 import diary_service_pb2, journal_service_pb2, lesson_pb2, mark_pb2
from diary.journal.v1.journal_service_pb2_grpc import JournalServiceStub
from diary.options.v1 import options_pb2

GET_DIARY_WEEK = "/diary.journal.v1.DiaryService/GetDiaryWeek"
GET_JOURNAL_PAGE = "/diary.journal.v1.JournalService/GetJournalPage"
RECORD_MARKS = "/diary.journal.v1.JournalService/RecordMarks"
RECORD_CLASS = "/diary.journal.v1.JournalService/RecordClass"
COURSES = 200  # drawn for the class writes
LESSONS = 3  # the last held of each
CLASS_SIZE = 25
_PATIENCE_SECONDS = 900

Headers = tuple[tuple[str, str], ...]


# Who works on when a write of the journal has been answered.
_CONSUMERS = ("notify", "documents")
_APART = tuple(f"diary_{service}_app" for service in ("access", *_CONSUMERS))


@dataclass(frozen=True)
class Running:
    """A started region: its parts with their process ids, and Postgres'."""

    region: Region
    pids: dict[str, int]
    postmaster: int

    @property
    def address(self) -> str:
        """Of journal."""
        return self.region.address("journal")

    @property
    def admin_dsn(self) -> str:
        """Of the superuser."""
        return self.region.admin_dsn

    @property
    def keys_dir(self) -> Path:
        """Where tokens are signed with."""
        return self.region.state.keys

    @property
    def journal(self) -> Part:
        """The journal's two processes, and Postgres but for what it does for the others."""
        return Part((self.pids["journal"], self.pids["journal-2"], self.postmaster), without=_APART)

    @property
    def after(self) -> Part:
        """The bus and the consumers of what the journal writes, with what Postgres does for them."""
        return Part(tuple(self.pids[name] for name in ("nats", *_CONSUMERS)), logins=_APART)

    def whole(self, *names: str) -> Part:
        """These parts and all of Postgres."""
        return Part((*(self.pids[name] for name in names), self.postmaster))


@asynccontextmanager
async def running_region(size: Size, settings: Mapping[str, str] | None = None) -> AsyncIterator[Running]:
    """Starts a region in a temporary folder, its journal in two processes on one port as on two pods. `settings`: Postgres'."""
    folder = tempfile.mkdtemp(prefix="diary-bench-")
    os.chmod(folder, 0o711)  # Postgres runs under an account of its own and must get through
    try:
        tell = partial(print, "region:", flush=True)
        stages = partial(_stages, settings or {})
        async with Launcher(Path(folder), size, tell, is_private=True, stages=stages) as launcher:
            postmaster = await asyncio.to_thread(postmaster_pid, launcher.region.admin_dsn)
            yield Running(launcher.region, {name: child.pid for name, child in launcher.children.items()}, postmaster)
    finally:
        shutil.rmtree(folder)


def _stages(settings: Mapping[str, str], region: Region) -> Iterator[plan.Stage]:
    region.postgres.settings.update(settings)
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
    class_id: str
    account_id: str
    headers: Headers = ()


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
class MarkWrites:
    """RecordMarks of whole classes only."""

    courses: tuple[Course, ...]
    warm_up: int = WARM_UP

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        async def write(client: Client) -> None:
            await send_marks(client, record_marks(rng.choice(self.courses), rng))

        return write


@dataclass(frozen=True)
class ClassWrites:
    """RecordClass: topic, marks and absences of a class. Each loop has a course of its own, for the etags."""

    courses: tuple[Course, ...]
    warm_up: int = WARM_UP

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        lessons: dict[str, lesson_pb2.Lesson] = {}

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


async def send_marks(client: Client, call: Call) -> None:
    """Sends RecordMarks; raises when a cell was not saved."""
    # A refused cell is OK to gRPC, and cheap: it must not pass for a write.
    if not _are_saved(await client.send(call)):
        raise RuntimeError("RecordMarks did not save all cells")


async def _lessons(client: Client, course: Course) -> dict[str, lesson_pb2.Lesson]:
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


def record_class(course: Course, lesson: lesson_pb2.Lesson, rng: random.Random) -> Call:
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
        request.absences.add(student_id=student_id, code=lesson_pb2.ABSENCE_CODE_ABSENT)
    return Call(RECORD_CLASS, course.headers, request.SerializeToString())


def _new_id() -> str:
    """A UUIDv7, as clients make them: the standard library has none before Python 3.14."""
    number = (time.time_ns() // 1_000_000) << 80 | random.getrandbits(80)
    return str(uuid.UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62))


def list_families(running: Running) -> list[Family]:
    """A guardian for each student who is in a class; their tokens are signed when they are needed."""
    callers = _relations(running, options_pb2.RELATION_STUDENT, options_pb2.ROLE_GUARDIAN)
    with psycopg.connect(running.admin_dsn) as connection:
        rows = connection.execute("SELECT student_id::text, class_id::text FROM journal.students WHERE class_id IS NOT NULL")
        classes: dict[str, str] = dict(rows.fetchall())
    return [Family(school, student, classes[student], account) for school, student, account in callers if student in classes]


def sign_in(running: Running, families: Sequence[Family]) -> tuple[Family, ...]:
    """The families with new tokens, which live five minutes: longer than a round."""
    signer = new_signer(running)
    return tuple(replace(family, headers=bearer(signer, family.account_id, "guardian")) for family in families)


def list_courses(running: Running, count: int = COURSES) -> tuple[Course, ...]:
    """Courses of full classes in open periods, drawn at random, with the tokens of their teachers."""
    callers = _relations(running, options_pb2.RELATION_COURSE, options_pb2.ROLE_TEACHER)
    rng = random.Random(1)
    rng.shuffle(callers)
    signer = new_signer(running)
    courses: list[Course] = []
    with grpc.insecure_channel(running.address) as channel:
        for school, course, account in callers:
            headers = bearer(signer, account, "teacher")
            request = journal_service_pb2.GetJournalPageRequest(school_id=school, course_id=course)
            page = JournalServiceStub(channel).GetJournalPage(request, metadata=headers)
            held = [lesson.lesson_id for lesson in page.lessons if lesson.state == lesson_pb2.LESSON_STATE_HELD]
            students = [student.student_id for student in page.students][:CLASS_SIZE]
            if not held or not page.course.is_marked or page.period.is_closed or len(students) < CLASS_SIZE:
                continue
            full = Course(school, course, account, tuple(students), tuple(held[-LESSONS:]), headers)
            if all(_takes_marks(channel, full, lesson_id, rng) for lesson_id in full.lesson_ids):
                courses.append(full)
            if len(courses) == count:
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


def _all_saved(outcomes: Iterable[mark_pb2.MarkCellOutcome]) -> bool:
    return all(outcome.state == mark_pb2.CELL_STATE_SAVED for outcome in outcomes)


def teach(running: Running, courses: Sequence[Course]) -> tuple[Course, ...]:
    """The courses with new tokens of their teachers, which live five minutes: longer than a round."""
    signer = new_signer(running)
    return tuple(replace(course, headers=bearer(signer, course.account_id, "teacher")) for course in courses)


def new_signer(running: Running) -> Signer:
    """Signs tokens as access does."""
    return Signer(running.keys_dir / "token.pem", "token-", SystemClock())


def _relations(running: Running, kind: int, role: int) -> list[tuple[str, str, str]]:
    """School, object and one account that may see it, for every object."""
    with psycopg.connect(running.admin_dsn) as connection:
        return connection.execute(
            "SELECT DISTINCT ON (object_id) school_id::text, object_id::text, account_id::text FROM journal.relations "
            "WHERE kind = %s AND role = %s AND coalesce(valid_to_time, 'infinity') > now() ORDER BY object_id, account_id",
            (kind, role),
        ).fetchall()


def access_token(signer: Signer, account_id: str, role: str, session_id: str = "") -> str:
    """A token of five minutes, of a session that is open or of one that only access would know of."""
    claims: dict[str, object] = {"sid": session_id or str(uuid.uuid4()), "roles": [role]}
    return signer.sign("diary-access", account_id, claims)[0]


def bearer(signer: Signer, account_id: str, role: str, session_id: str = "") -> Headers:
    """The headers of somebody signed in."""
    return (("authorization", f"Bearer {access_token(signer, account_id, role, session_id)}"),)


_OPEN_SESSION = """
INSERT INTO access.sessions (account_id, family_digest, refresh_digest, create_time, rotate_time, expire_time)
VALUES (%(account_id)s, %(digest)s, %(digest)s, now(), now(), now() + interval '1 day') RETURNING session_id::text
"""


def open_session(database: "psycopg.Connection[Any]", account_id: str) -> str:
    """A session of access, for calls that ask whether it is open."""
    digest = hashlib.sha256(uuid.uuid4().bytes).digest()
    row = database.execute(_OPEN_SESSION, {"account_id": account_id, "digest": digest}).fetchone()
    assert row is not None
    return str(row[0])


def list_weeks(running: Running) -> tuple[str, ...]:
    """The school weeks of the past three months, the present one first; those with few lessons are holidays."""
    with psycopg.connect(running.admin_dsn) as connection:
        rows = connection.execute(
            """SELECT to_char(lesson_date, 'IYYY-"W"IW') AS week, count(*) FROM journal.lessons
            WHERE lesson_date BETWEEN now()::date - 91 AND now()::date + 6 GROUP BY week ORDER BY week DESC"""
        ).fetchall()
    today = SystemClock().now().date().isocalendar()
    present = f"{today.year}-W{today.week:02}"
    usual = max((count for _, count in rows), default=0) * 0.8
    weeks = tuple(week for week, count in rows if count >= usual and week <= present)
    if not weeks:
        raise SystemExit("benchmark: no week of the past three months has lessons")
    return weeks


# No event is to be published, no letter to be sent.
_IS_STILL = """
SELECT NOT EXISTS (SELECT FROM journal.outbox WHERE published_time IS NULL)
    AND NOT EXISTS (SELECT FROM notify.deliveries WHERE state IN (1, 5))
"""


def settle(running: Running) -> None:
    """Waits until all that the journal has written is published and handled, and every letter has left."""
    with psycopg.connect(running.admin_dsn, autocommit=True) as database:
        wait_until(lambda: database.execute(_IS_STILL).fetchone() == (True,))
        asyncio.run(_until_handled(running.region.nats_url("operator")))
        wait_until(lambda: database.execute(_IS_STILL).fetchone() == (True,))


def wait_until(holds: Callable[[], bool]) -> None:
    """Asks a few times a second, for a quarter of an hour at most."""
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > give_up:
            raise SystemExit("benchmark: events or letters do not come to an end; is the region's mail server up?")
        time.sleep(0.3)


# A guardian of each of these students, given an address.
_GIVE_ADDRESSES = """
INSERT INTO notify.contact_points (account_id, kind, address, source, update_time)
SELECT DISTINCT ON (object_id) account_id, 'email', account_id || '@bench.example', 'application', now()
FROM notify.relations WHERE kind = 3 AND role = 4 AND coalesce(valid_to_time, 'infinity') > now()
  AND object_id = ANY(%s::uuid[])
ON CONFLICT DO NOTHING RETURNING account_id
"""


@contextmanager
def addresses(database: "psycopg.Connection[Any]", student_ids: Iterable[str]) -> Iterator[int]:
    """Families of these students get letters within the block: other contests are not to pay for them. Yields how many."""
    given = database.execute(_GIVE_ADDRESSES, (list(student_ids),)).fetchall()
    if not given:
        raise SystemExit("benchmark: notify knows no guardian of these students; its projection is empty")
    try:
        yield len(given)
    finally:
        database.execute("DELETE FROM notify.contact_points WHERE address LIKE '%@bench.example'")


async def _until_handled(url: str) -> None:
    client = await nats.connect(url)
    while True:
        consumers = await client.jetstream().consumers_info("diary-journal")
        if not any(consumer.num_pending or consumer.num_ack_pending for consumer in consumers):
            break
        await asyncio.sleep(0.3)
    await client.close()


def postgres_of_journal(running: Running) -> Part:
    """Postgres but for what it does for the other services."""
    return Part((running.postmaster,), without=_APART)


def target(running: Running, source: Source, in_flight: int, units: int, *, writes: bool = False) -> Target:
    """The journal under load. After writes it is waited for what they set off."""
    whole = Target(running.address, grpc_client, source, running.journal, in_flight, units, has_idle=True)
    return replace(whole, after=running.after, settle=partial(settle, running)) if writes else whole
