"""What end-to-end tests share."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.support.browser import run_chromium


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium with an empty profile."""
    async with run_chromium() as browser:
        yield browser
