"""Chromium before the portal, as a person sits before it."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from deploy.local.launcher import Launcher
from tests.support.region import Login

_CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(not _CHROMIUM, reason="chromium is not installed: make setup-debian")

_QUIET = (
    "no-sandbox",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
)


@asynccontextmanager
async def run_chromium(font_size: int = 16) -> AsyncIterator[Browser]:
    """Headless Chromium with an empty profile; `font_size` as its user has set it."""
    async with async_playwright() as playwright:
        # With the bars that a person has: they take their width from the page.
        browser = await playwright.chromium.launch(
            executable_path=_CHROMIUM,
            args=[*(f"--{option}" for option in _QUIET), f"--blink-settings=defaultFontSize={font_size}"],
            ignore_default_args=["--hide-scrollbars"],
        )
        yield browser
        await browser.close()


async def open_page(browser: Browser, region: Launcher, path: str = "/", width: int = 1280) -> Page:
    """A page of the portal in a browser of the own, not signed in."""
    context = await browser.new_context(viewport={"width": width, "height": 860}, locale="ru-RU")
    page = await context.new_page()
    await page.goto(f"{region.region.gateway_url}{path}")
    return page


async def sign_in(browser: Browser, region: Launcher, login: Login, width: int = 1280) -> Page:
    """A person at the portal, in a browser of the own."""
    page = await open_page(browser, region, width=width)
    await page.get_by_label("Логин").fill(login.login)
    await page.get_by_label("Пароль").fill(login.password)
    await page.get_by_role("button", name="Войти").click()
    await expect(page.get_by_role("button", name="Выйти")).to_be_visible()
    return page
