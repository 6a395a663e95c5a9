"""Real backends for tests: PostgreSQL of the environment, of Docker, or of the wheel; nats-server of the wheel.

One PostgreSQL per session, one template database per set of migrations, a clone of it per test module.
"""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from chassis.migrate import migrate
from deploy.local.nats import Nats
from deploy.local.ports import Ports
from deploy.local.postgres import Postgres, accepts

_IMAGE = "postgres:18"
_APP_PASSWORD = "app-of-the-tests"


@dataclass(frozen=True)
class Clone:
    """A database of one test module: the superuser's DSN and the login of each migrated service."""

    admin_dsn: str
    app_dsns: dict[str, str]


class PostgresServer:
    """A server and what tests take from it. Roles are the server's, so all clones share them and their password."""

    def __init__(self, admin_dsn: str) -> None:
        self.admin_dsn = admin_dsn
        self._session = uuid.uuid4().hex[:8]
        self._templates: dict[tuple[str, ...], str] = {}
        self._databases: list[str] = []

    async def clone(self, services: Iterable[str] = ()) -> Clone:
        """A new database with the migrations of `services` applied (none: an empty one), in some 50 ms."""
        wanted = tuple(sorted(services))
        if wanted not in self._templates:
            self._templates[wanted] = await self._make_template(wanted)
        name = await self._create_database(f"TEMPLATE {self._templates[wanted]} STRATEGY file_copy")
        return Clone(self._dsn(name), {service: self._app_dsn(name, service) for service in wanted})

    async def close(self) -> None:
        """Drop what this session made; matters on a server that lives longer."""
        for name in reversed(self._databases):
            await self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def _make_template(self, services: tuple[str, ...]) -> str:
        name = await self._create_database("TEMPLATE template0")
        for service in services:
            await self._set_password(service)
            await migrate(self._dsn(name), self._app_dsn(name, service), service)
        return name

    async def _set_password(self, service: str) -> None:
        # Migrations leave a role that exists as it is; a server of the environment may know it by another password.
        role = f"diary_{service}_app"
        await self._execute(
            f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') "
            f"THEN ALTER ROLE {role} PASSWORD '{_APP_PASSWORD}'; END IF; END $$"
        )

    async def _create_database(self, options: str) -> str:
        name = f"diary_test_{self._session}_{len(self._databases)}"
        await self._execute(f"CREATE DATABASE {name} {options}")
        self._databases.append(name)
        return name

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _dsn(self, database: str) -> str:
        return urlunsplit(urlsplit(self.admin_dsn)._replace(path=f"/{database}"))

    def _app_dsn(self, database: str, service: str) -> str:
        parts = urlsplit(self._dsn(database))
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"diary_{service}_app:{_APP_PASSWORD}@{host}"))


@asynccontextmanager
async def run_postgres() -> AsyncIterator[PostgresServer]:
    """The server of DIARY_TEST_DATABASE_URL, else of Docker where it is at hand, else the wheel's."""
    async with AsyncExitStack() as stack:
        dsn = os.environ.get("DIARY_TEST_DATABASE_URL") or _docker_postgres(stack)
        if dsn is None:
            dsn = await stack.enter_async_context(_embedded_postgres())
        server = PostgresServer(dsn)
        try:
            yield server
        finally:
            await server.close()


@asynccontextmanager
async def run_nats() -> AsyncIterator[str]:
    """URL of an own nats-server with an empty store, as one who may do everything there; gone afterwards."""
    async with running_nats() as server:
        yield server.url()


@asynccontextmanager
async def running_nats() -> AsyncIterator[Nats]:
    """An own nats-server with an empty store, gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="diary-nats-"))
    ports = Ports()
    server = Nats(home, ports.reserve(0), ports.reserve(0))
    try:
        server.make()
        process = server.process(home / "nats.log")
        ports.close()
        await process.start()
        try:
            await process.until(server.is_ready, 10)
            yield server
        finally:
            await process.stop(5)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@asynccontextmanager
async def _embedded_postgres() -> AsyncIterator[str]:
    home = Path(tempfile.mkdtemp(prefix="diary-postgres-"))
    # The server may run under another account, which must get to its folder.
    os.chmod(home, 0o755)
    ports = Ports()
    server = Postgres(home / "server", ports.reserve(0), is_durable=False)
    try:
        server.make()
        dsn = server.dsn("postgres")
        process = server.process(home / "postgres.log")
        ports.close()
        await process.start()
        try:
            await process.until(lambda: accepts(dsn), 30)
            yield dsn
        finally:
            await process.stop(5)
    finally:
        server.remove()
        shutil.rmtree(home, ignore_errors=True)


def _docker_postgres(stack: AsyncExitStack) -> str | None:
    """DSN of a container where a Docker daemon answers and has the image already; None otherwise."""
    if shutil.which("docker") is None:
        return None
    if subprocess.run(["docker", "image", "inspect", _IMAGE], capture_output=True, check=False).returncode != 0:
        return None
    from testcontainers.core.config import testcontainers_config
    from testcontainers.postgres import PostgresContainer

    testcontainers_config.ryuk_disabled = True
    container = PostgresContainer(_IMAGE, username="postgres", password="postgres", dbname="postgres", driver=None)
    container.with_command("postgres -c fsync=off -c max_connections=200 -c shared_preload_libraries=pg_stat_statements")
    stack.enter_context(container)
    return str(container.get_connection_url())
