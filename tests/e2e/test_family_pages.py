"""How the family's pages lie: on a small phone, with text of twice the size, with ordinary scroll bars, and on paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from chassis.clock import SystemClock, today
from deploy.local.launcher import Launcher
from tests.support.browser import needs_chromium, run_chromium, sign_in
from tests.support.papers import needs_poppler, read_pages
from tests.support.region import Login, signed_in
from tests.support.teaching import find_school

pytestmark = needs_chromium

# Where the last run's pictures are looked at.
PICTURES = Path(__file__).resolve().parents[2] / ".diary" / "pictures"
WIDTHS = (320, 390, 1280)

# What is wider than the window, and what scrolls within the page: on a family's page nothing does.
_SCROLLS = """() => {
    const {scrollWidth, clientWidth} = document.documentElement;
    const found = scrollWidth > clientWidth ? [`page ${scrollWidth} of ${clientWidth}`] : [];
    for (const one of document.querySelectorAll("body *")) {
        const {overflowX, overflowY} = getComputedStyle(one);
        const scrolls = (overflow) => overflow === "auto" || overflow === "scroll";
        if (scrolls(overflowY) && one.scrollHeight > one.clientHeight) found.push(`${one.tagName}.${one.className} down`);
        if (scrolls(overflowX) && one.scrollWidth > one.clientWidth) found.push(`${one.tagName}.${one.className} aside`);
    }
    return found;
}"""
# What is printed in anything but ink: a ground, or letters that are not black.
_COLOURS = """() => [...document.querySelectorAll("body, body *")].filter((one) => {
    const {color, backgroundColor, backgroundImage, boxShadow, display} = getComputedStyle(one);
    return one.getClientRects().length && display !== "none" && one.closest(".top, .skip") === null
        && (color !== "rgb(0, 0, 0)" || backgroundColor !== "rgba(0, 0, 0, 0)" || backgroundImage !== "none"
            || boxShadow !== "none");
}).map((one) => `${one.tagName}.${one.className}`)"""


async def _open_pages(region: Launcher, login: Login) -> dict[str, str]:
    """The family's pages about each child, by the names of the pictures."""
    async with signed_in(region, login) as api:
        school = find_school(await api.get("/v1/me"))
    pages = {"notices": "/notices", "filings": f"/schools/{school['schoolId']}/my-applications"}
    for number, child in enumerate(school["students"][:2], 1):
        of_child = f"/schools/{school['schoolId']}/students/{child['studentId']}"
        pages |= {f"week-{number}": f"{of_child}/week", f"informing-{number}": f"{of_child}/informing"}
    return {name: f"{region.region.gateway_url}{path}" for name, path in pages.items()}


@pytest.mark.parametrize(("family", "font_size"), [("mother", 16), ("mother", 32), ("mother_in_two_schools", 32)])
async def test_nothing_scrolls_but_the_page_and_that_only_down(
    region: Launcher, logins: dict[str, Login], family: str, font_size: int
) -> None:
    """WCAG 1.4.4 and 1.4.10: text of 200 %, and 320 px."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    found = {}
    async with run_chromium(font_size) as browser:
        page = await sign_in(browser, region, logins[family])
        assert await page.evaluate("getComputedStyle(document.body).fontSize") == f"{font_size}px"
        for name, address in (await _open_pages(region, logins[family])).items():
            await page.goto(address)
            for width in WIDTHS:
                await page.set_viewport_size({"width": width, "height": 860})
                found[name, width] = await page.evaluate(_SCROLLS)
            await page.set_viewport_size({"width": WIDTHS[0], "height": 860})
            await page.screenshot(path=PICTURES / f"{family}-{name}-{font_size}.png", full_page=True)
    assert not {place: what for place, what in found.items() if what}


@needs_poppler
async def test_a_printed_week_is_one_sheet_of_ink_with_school_and_day(
    browser: Browser, region: Launcher, logins: dict[str, Login]
) -> None:
    page = await sign_in(browser, region, logins["mother"])
    day = today(SystemClock(), "Europe/Simferopol")
    weeks = [address for name, address in (await _open_pages(region, logins["mother"])).items() if name.startswith("week")]
    assert len(weeks) == 2
    for address in weeks:
        await page.goto(address)
        await _demand_one_sheet(page, f"{day:%d.%m.%Y}", logins["mother"].school)
        await page.get_by_role("link", name="Предыдущая").click()
        await page.wait_for_url("**?week=*")
        await _demand_one_sheet(page, f"{day:%d.%m.%Y}", logins["mother"].school)


async def _demand_one_sheet(page: Page, day: str, school: str) -> None:
    [sheet] = read_pages(await page.pdf(format="A4", print_background=True))
    text = " ".join(word.text for word in sheet.words)
    assert f"{school} · напечатано {day}" in text
    assert "Понедельник" in text
    assert "Пятница" in text
    assert "Выйти" not in text
    await page.emulate_media(media="print")
    assert await page.evaluate(_COLOURS) == []
    await page.emulate_media(media="null")
