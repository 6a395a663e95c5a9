"""One demo region for all end-to-end tests of a session."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.launcher import Launcher
from tests.support.region import Login, read_logins, run_region


@pytest.fixture(scope="session")
async def region() -> AsyncIterator[Launcher]:
    """Everything, started as `make run` starts it."""
    async with run_region() as launcher:
        yield launcher


@pytest.fixture(scope="session")
def logins(region: Launcher) -> dict[str, Login]:
    """The printed logins by role."""
    return read_logins(region)
