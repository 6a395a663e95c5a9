"""The region's database: made in our own server, looked over in one that the environment names."""

import hashlib
import traceback

import asyncpg

from chassis.migrate import migrate
from deploy.keys import SERVICES
from deploy.local.errors import LocalError
from deploy.local.process import describe_log
from deploy.local.region import Region


async def make_database(region: Region) -> None:
    """Create the database in our server, once."""
    connection = await asyncpg.connect(region.postgres.dsn("postgres"))
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = 'diary'"):
            await connection.execute("CREATE DATABASE diary TEMPLATE template0")
    finally:
        await connection.close()


async def look_over_database(region: Region) -> None:
    """What a broken first start of ours left in the named server is dropped; a region of somebody's is kept, unseeded."""
    try:
        connection = await asyncpg.connect(region.admin_dsn, timeout=5)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        raise LocalError(
            f"the PostgreSQL of DIARY_DATABASE_URL does not answer ({error}): start it, or unset the variable"
        ) from error
    try:
        if region.state.seeded() is None:
            await _clear_or_adopt(region, connection)
    finally:
        await connection.close()


async def _clear_or_adopt(region: Region, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    mark = hashlib.sha256(region.admin_dsn.encode()).hexdigest()
    schemas = "access, journal, notify, documents"
    holds_region = await connection.fetchval("SELECT to_regnamespace('access') IS NOT NULL")
    if holds_region and not region.state.began_seeding(mark):
        region.tell("the database of DIARY_DATABASE_URL holds a region already; it is used as it is, without the demo")
        region.state.mark_seeded({})
        return
    await connection.execute(f"DROP SCHEMA IF EXISTS {schemas} CASCADE")
    region.state.note_seeding(mark)


async def migrate_all(region: Region) -> None:
    """What `python -m services.<service> migrate` does, in one process: loading the tools four times takes seconds."""
    for service in SERVICES:
        try:
            await migrate(region.admin_dsn, region.app_dsn(service), service)
        except Exception as error:
            log = region.state.log("migrations")
            log.write_text(traceback.format_exc())
            raise LocalError(f"the migrations of {service} failed; {describe_log(log)}") from error
