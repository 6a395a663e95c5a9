"""Brings a service's schema up to date: roles, schema, then the migrations of `services/<service>/migrations` by Alembic.

Runs as the admin of the server, once at a time (an advisory lock), forward only. Each service has its own version table.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import asyncpg

from chassis.commands import run

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext, RevisionStep
    from sqlalchemy import Connection

_SERVICES = Path(__file__).resolve().parent.parent / "services"
_ROLES = ("owner", "app", "jobs", "region")
# Migrations wait shortly for a lock rather than queue behind a long reader and stop everyone.
_TIMEOUTS = {"lock_timeout": "4s", "statement_timeout": "5s"}


async def migrate(admin_dsn: str, app_dsn: str, service: str) -> None:
    """Makes the roles and the schema, then upgrades to the newest migration.

    `app_dsn` gives the password of diary_<service>_app. Roles made by someone else are left as they are.
    """
    connection = await asyncpg.connect(admin_dsn, timeout=10)
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtext('diary-migrate'))")
        await _make_roles(connection, service, unquote(urlsplit(app_dsn).password or ""))
        await asyncio.to_thread(_upgrade, admin_dsn, service)
    finally:
        await connection.close()


async def _make_roles(connection: "asyncpg.Connection[asyncpg.Record]", service: str, password: str) -> None:
    for name in _ROLES:
        role = f"diary_{service}_{name}"
        login = "LOGIN" if name == "app" else "NOLOGIN"
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            await connection.execute(f"CREATE ROLE {role} {login} NOINHERIT")
            if name == "app":
                quoted = await connection.fetchval("SELECT quote_literal($1::text)", password)
                await connection.execute(f"ALTER ROLE {role} PASSWORD {quoted}")
    owner, app = f"diary_{service}_owner", f"diary_{service}_app"
    await connection.execute(
        f"GRANT diary_{service}_jobs, diary_{service}_region TO {app} WITH INHERIT FALSE, SET TRUE;"
        f"GRANT {owner} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;"
        f"CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {owner};"
        f"GRANT USAGE ON SCHEMA {service} TO {app}, diary_{service}_jobs, diary_{service}_region;"
        f"REVOKE ALL ON SCHEMA public FROM PUBLIC;"
        # Exclusion and temporal constraints over uuids need it, and only the server's admin may make it.
        f"CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public"
    )


def _upgrade(admin_dsn: str, service: str) -> None:
    # Imported here: half a second and 30 MB that a service which only serves does not spend.
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory
    from sqlalchemy import create_engine, text

    migrations = _SERVICES / service / "migrations"
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("version_locations", str(migrations))
    config.set_main_option("path_separator", "newline")
    scripts = ScriptDirectory.from_config(config)

    def step(revision: tuple[str, ...], _context: "MigrationContext") -> "list[RevisionStep]":
        return scripts._upgrade_revs("head", revision)  # type: ignore[arg-type]  # as alembic.command does

    def upgrade(connection: "Connection") -> None:
        connection.execute(text(f"SET ROLE diary_{service}_owner"))
        connection.execute(text(f"SET search_path = {service}"))
        for name, value in _TIMEOUTS.items():
            connection.execute(text(f"SET {name} = '{value}'"))
        connection.commit()
        with EnvironmentContext(config, scripts, fn=step) as environment:
            environment.configure(
                connection=connection,
                version_table="alembic_version",
                version_table_schema=service,
                # What one has locked is free again before the next begins, and one that fails leaves those before it.
                transaction_per_migration=True,
            )
            with environment.begin_transaction():
                environment.run_migrations()
        connection.commit()

    # psycopg, since a migration is a script of several statements and asyncpg prepares one at a time.
    engine = create_engine(admin_dsn.replace("postgres://", "postgresql://").replace("://", "+psycopg://", 1))
    try:
        with engine.connect() as connection:
            upgrade(connection)
    finally:
        engine.dispose()


@contextmanager
def concurrently() -> Iterator[None]:
    """In a migration of nothing else: statements that take long and lock nobody out (CREATE INDEX CONCURRENTLY, VALIDATE
    CONSTRAINT), each a transaction, without the bounds of other migrations. One that broke is run again from its start.
    """
    from alembic import op

    with op.get_context().autocommit_block():
        for name in _TIMEOUTS:
            op.execute(f"SET {name} = 0")
        yield
        for name, value in _TIMEOUTS.items():
            op.execute(f"SET {name} = '{value}'")


def main(admin_dsn: str, app_dsn: str, service: str) -> None:
    """Runs `migrate` as a command."""
    run(migrate(admin_dsn, app_dsn, service))
