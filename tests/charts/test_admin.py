"""The admin that the chart `backends` makes can do what migrations do."""

from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from chassis.migrate import migrate
from tests.charts.support import find, render
from tests.charts.test_environment import SERVICES
from tests.support.backends import run_postgres


async def test_migrations_need_no_superuser() -> None:
    made = find(render("backends-plain"), "Cluster", "diary-postgres")["spec"]["bootstrap"]["initdb"]
    admin, database = made["owner"], made["database"]
    # A server of its own, since roles belong to who made them.
    async with run_postgres() as server:
        connection = await asyncpg.connect(server.admin_dsn)
        try:
            if await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'diary%'"):
                pytest.skip("the server of the environment has Diary's roles already, made by its superuser")
            await connection.execute(f"CREATE ROLE {admin} LOGIN PASSWORD 'x'")
            for statement in made["postInitSQL"]:
                await connection.execute(statement)
            await connection.execute(f"CREATE DATABASE {database} OWNER {admin} TEMPLATE template0")
        finally:
            await connection.close()
        place = urlsplit(server.admin_dsn)
        host = place.netloc.rpartition("@")[2]
        dsn = urlunsplit(place._replace(netloc=f"{admin}:x@{host}", path=f"/{database}"))
        for service in SERVICES * 2:
            app_dsn = urlunsplit(place._replace(netloc=f"diary_{service}_app:y@{host}", path=f"/{database}"))
            await migrate(dsn, app_dsn, service)
            await (await asyncpg.connect(app_dsn)).close()
