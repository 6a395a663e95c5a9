"""The portal before a stand-in of the gateway, on a day of November."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from httpx import AsyncClient

from chassis.clock import SetClock
from tests.unit.portal.standin import StandIn, portal


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    async with portal(SetClock(datetime(2026, 11, 17, 9, tzinfo=UTC))) as stand_in:
        yield stand_in


@pytest.fixture
async def browser(stand_in: StandIn) -> AsyncClient:
    return await stand_in.signed_in()
