"""Fixtures of all tests: real PostgreSQL and NATS, and keys."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from deploy.keys import make_keys
from deploy.local.launcher import Launcher
from tests.support.backends import PostgresServer, run_nats, run_postgres
from tests.support.region import Login, read_logins, run_region

# Laws are not timed: the machine may be busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


class _ByFileOrRegion(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """One process runs a file's tests; one runs all that share the region, which it starts once."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "region" if file.startswith(("tests/e2e/", "tests/faults/")) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Of the one below `make test`; a run without --numprocesses asks for none."""
    return _ByFileOrRegion(config, log)


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[PostgresServer]:
    """The session's PostgreSQL; `await postgres.clone(["access"])` in a module fixture gives a database."""
    async with run_postgres() as server:
        yield server


@pytest.fixture(scope="module")
async def nats_url() -> AsyncIterator[str]:
    """A nats-server of the module's own."""
    async with run_nats() as url:
        yield url


@pytest.fixture(scope="session")
def keys_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of keys as DIARY_KEYS_DIR has it."""
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder)
    return folder


@pytest.fixture(scope="session")
async def region() -> AsyncIterator[Launcher]:
    """Everything, started as `make run` starts it."""
    async with run_region() as launcher:
        yield launcher


@pytest.fixture(scope="session")
def logins(region: Launcher) -> dict[str, Login]:
    """The printed logins by role."""
    return read_logins(region)
