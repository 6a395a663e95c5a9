"""Starts the frozen peers on the Postgres server of the region, loads their databases, and says what to send them."""

import hashlib
import json
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

import jwt
import psycopg
from psycopg import sql

from benchmarks.cpu import Part
from benchmarks.load import READS_PER_WRITE, WARM_UP, Call, Client, Source, Target, Unit, draw_week, http_client

HERE = Path(__file__).parent
WORKERS = "2"
DJANGO = "benchmarks.peers.django_drf"
FASTAPI = "benchmarks.peers.fastapi_sqlalchemy"
FASTAPI_SECRET = "a yardstick has no secrets, but HS256 wants 32 bytes"
WEEKS = 34
LESSONS_A_WEEK = 35
START_SECONDS = 30.0
# The region stands idle beside a peer, and is not its cost.
_OURS = tuple(f"diary_{service}_app" for service in ("access", "journal", "notify", "documents"))


@dataclass(frozen=True)
class Shape:
    """A peer's region; the arithmetic of `peers/load.sql`."""

    students: int

    @property
    def schools(self) -> int:
        return -(-self.students // 600)

    @property
    def accounts(self) -> int:
        """Two guardians a student, then thirty teachers a school."""
        return 2 * self.students + 30 * self.schools


@dataclass(frozen=True)
class Peer:
    """A running peer."""

    address: str
    pid: int
    shape: Shape


def django_token(account: int) -> str:
    """As `django_drf/accounts.sql` makes them."""
    return "Token " + hashlib.sha256(f"account {account}".encode()).hexdigest()[:40]


def fastapi_token(account: int) -> str:
    """As a sign-in of the peer would sign it."""
    return "Bearer " + jwt.encode({"sub": str(account), "exp": int(time.time()) + 86400}, FASTAPI_SECRET, "HS256")


def _week(authorization: str, student: int, rng: random.Random) -> Call:
    monday = date_of_week(draw_week(WEEKS, rng))
    return Call(f"/api/students/{student}/week?monday={monday}", (("authorization", authorization),))


def date_of_week(week: int) -> str:
    """Monday of a week of the loaded year, ISO 8601."""
    return time.strftime("%Y-%m-%d", time.gmtime(1788739200 + week * 7 * 86400))  # 2026-09-07


def class_write(shape: Shape, rng: random.Random) -> Call:
    """Topic, homework, marks of a class of 25 and two absences, by the teacher of the course; Django only."""
    school_class = rng.randrange(shape.students // 25) + 1
    slot = rng.randrange(LESSONS_A_WEEK)
    lesson = ((school_class - 1) * WEEKS + rng.randrange(WEEKS)) * LESSONS_A_WEEK + slot + 1
    course = (school_class - 1) * 14 + 1 + slot % 14
    teacher = (school_class - 1) // 24 * 30 + 1 + course % 30
    students = range((school_class - 1) * 25 + 1, school_class * 25 + 1)
    marks = [{"student": student, "value": rng.randint(2, 5)} for student in students]
    topic = f"Квадратные уравнения, {rng.randrange(1000)}"
    absences = [{"student": student, "code": "Н"} for student in rng.sample(students, 2)]
    return Call(
        f"/api/lessons/{lesson}/record",
        (("authorization", django_token(2 * shape.students + teacher)),),
        json.dumps({"topic": topic, "homework": "№ 251, 253", "marks": marks, "absences": absences}).encode(),
    )


@dataclass(frozen=True)
class DjangoWeeks:
    """Weeks as families open them, a class write to fifty of them, as ours gets them."""

    shape: Shape
    warm_up: int = WARM_UP

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        async def read_or_write(client: Client) -> None:
            if rng.randrange(READS_PER_WRITE + 1) == 0:
                await client.send(class_write(self.shape, rng))
            else:
                guardian = rng.randrange(2 * self.shape.students) + 1
                await client.send(_week(django_token(guardian), (guardian + 1) // 2, rng))

        return read_or_write


@dataclass(frozen=True)
class DjangoClassWrites:
    """Class writes only."""

    shape: Shape
    warm_up: int = WARM_UP

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        async def write(client: Client) -> None:
            await client.send(class_write(self.shape, rng))

        return write


@dataclass(frozen=True)
class FastApiWeeks:
    """Weeks as families open them; reads only, to the peer's favour."""

    shape: Shape
    warm_up: int = WARM_UP

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        async def read(client: Client) -> None:
            guardian = rng.randrange(2 * self.shape.students) + 1
            await client.send(_week(fastapi_token(guardian), (guardian + 1) // 2, rng))

        return read


@contextmanager
def run_django(admin_dsn: str, shape: Shape) -> Iterator[Peer]:
    """gunicorn with two workers of two threads, over its own database."""
    dsn = _new_database(admin_dsn, "peer_django")
    environment = {"PEER_DATABASE_URL": dsn, "DJANGO_SETTINGS_MODULE": f"{DJANGO}.settings"}
    _command(environment, "django", "migrate", "--verbosity", "0")
    _fill(dsn, HERE / "peers/django_drf/accounts.sql", shape)
    serve = ("gunicorn", "--workers", WORKERS, "--threads", "2", "--log-level", "warning", f"{DJANGO}.wsgi", "--bind")
    with _running(environment, serve, shape) as peer:
        yield peer


@contextmanager
def run_fastapi(admin_dsn: str, shape: Shape) -> Iterator[Peer]:
    """uvicorn with two workers, over its own database."""
    dsn = _new_database(admin_dsn, "peer_fastapi")
    environment = {"PEER_DATABASE_URL": urlsplit(dsn)._replace(scheme="postgresql+asyncpg").geturl()}
    _command(environment, f"{FASTAPI}.create")
    _fill(dsn, HERE / "peers/fastapi_sqlalchemy/accounts.sql", shape)
    serve = ("uvicorn", f"{FASTAPI}.app:app", "--workers", WORKERS, "--log-level", "warning", "--no-access-log", "--port")
    with _running(environment, serve, shape) as peer:
        yield peer


def target(peer: Peer, source: Source, postmaster: int, in_flight: int, units: int) -> Target:
    """The peer under load; its CPU is its own processes' and Postgres's."""
    return Target(peer.address, http_client, source, Part((peer.pid, postmaster), without=_OURS), in_flight, units)


def _new_database(admin_dsn: str, name: str) -> str:
    with psycopg.connect(admin_dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return urlsplit(admin_dsn)._replace(path=f"/{name}").geturl()


def _fill(dsn: str, accounts: Path, shape: Shape) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name in ("students", "schools", "accounts"):
            connection.execute("SELECT set_config(%s, %s, false)", (f"load.{name}", str(getattr(shape, name))))
        connection.execute(accounts.read_bytes())
        connection.execute((HERE / "peers/load.sql").read_bytes())
        connection.execute("VACUUM ANALYZE")


def _command(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", *arguments], cwd=HERE.parent, env=environment, check=True)


@contextmanager
def _running(environment: dict[str, str], serve: tuple[str, ...], shape: Shape) -> Iterator[Peer]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    bind = f"127.0.0.1:{port}" if serve[-1] == "--bind" else str(port)
    server = subprocess.Popen([sys.executable, "-m", *serve, bind], cwd=HERE.parent, env=environment)
    try:
        _wait_until_it_answers(f"127.0.0.1:{port}", server)
        yield Peer(f"127.0.0.1:{port}", server.pid, shape)
    finally:
        server.terminate()
        server.wait()


def _wait_until_it_answers(address: str, server: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://{address}/", timeout=START_SECONDS)
        except HTTPError:
            return  # there is no page at /, and it said so
        except URLError:
            if server.poll() is not None or time.monotonic() > give_up:
                raise SystemExit(f"benchmark: the peer at {address} did not start") from None
            time.sleep(0.1)
