"""Two portals that share nothing, over one access: a browser's requests at once reach both."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from apps.portal import app
from apps.portal.gateway import Gateway
from chassis import run
from chassis.clock import SystemClock
from services.access import __main__ as access
from tests.worlds.access import PASSWORD, SchoolWorld
from tests.worlds.access_service import Backends

ORIGIN = "http://diary.test"
PAGE = "/account/second-factor"


@pytest.fixture
async def portals(backends: Backends, addresses: dict[str, str]) -> AsyncIterator[list[Any]]:
    """Each with a channel of its own."""
    settings = backends.access_settings(**addresses)
    async with run.running("access", settings, lambda frame: access.build(settings, frame), SystemClock()) as port:
        gateways = [Gateway(f"127.0.0.1:{port}") for _ in range(2)]
        yield [httpx.ASGITransport(app.build(gateway, SystemClock(), ORIGIN)) for gateway in gateways]
        for gateway in gateways:
            await gateway.close()


def _browser(portal: Any, refresh_token: str = "") -> httpx.AsyncClient:
    cookies = {"diary_refresh": refresh_token} if refresh_token else {}
    return httpx.AsyncClient(transport=portal, base_url=ORIGIN, headers={"origin": ORIGIN}, cookies=cookies)


async def test_requests_at_once_through_two_portals_stay_in_the_session(portals: list[Any], school: SchoolWorld) -> None:
    form = {"login": school.people["class_teacher"].login, "password": PASSWORD}
    signed_in = await _browser(portals[0]).post("/sign-in", data=form)
    refresh_token = signed_in.cookies["diary_refresh"]
    asked = [_browser(portals[number % 2], refresh_token).get(PAGE) for number in range(6)]
    answers = await asyncio.gather(*asked)
    assert [answer.status_code for answer in answers] == [200] * 6
    # Whichever cookie the browser kept goes on, at the other portal too.
    later = await _browser(portals[1], answers[2].cookies["diary_refresh"]).get(PAGE)
    assert later.status_code == 200
    ended = await _browser(portals[0], refresh_token).get(PAGE)
    assert ended.headers["location"].startswith("/sign-in")
