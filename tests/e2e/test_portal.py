"""The portal in a real browser, through Envoy: a teacher records a class, a mother sees it."""

from datetime import date
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from deploy.local.launcher import Launcher
from tests.support.browser import needs_chromium, sign_in
from tests.support.region import Login, new_id, signed_in
from tests.support.teaching import Lesson, find_lesson

pytestmark = needs_chromium

# Where the last run's picture of the week is looked at.
PICTURE = Path(__file__).resolve().parents[2] / ".diary" / "pictures" / "week.png"


@pytest.fixture
async def lesson(region: Launcher, logins: dict[str, Login]) -> Lesson:
    """A course of the teacher in which the mother's child learns."""
    return await find_lesson(region, logins)


async def test_a_wrong_password_is_told_in_russian(browser: Browser, region: Launcher, logins: dict[str, Login]) -> None:
    page = await browser.new_page()
    await page.goto(region.region.gateway_url)
    await page.get_by_label("Логин").fill(logins["father"].login)
    await page.get_by_label("Пароль").fill("не тот")
    await page.get_by_role("button", name="Войти").click()
    await expect(page.get_by_role("alert")).to_have_text("Логин или пароль не подошли.")


async def test_a_mother_switches_children_and_weeks_on_a_phone(
    browser: Browser, region: Launcher, logins: dict[str, Login]
) -> None:
    page = await sign_in(browser, region, logins["mother"], width=390)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Неделя")
    tabs = page.get_by_role("navigation", name="Дети").get_by_role("link")
    assert await tabs.count() >= 2
    second = await tabs.nth(1).get_attribute("href")
    await tabs.nth(1).click()
    await page.wait_for_url(f"**{second}")
    await page.get_by_role("link", name="Предыдущая").click()
    await page.wait_for_url("**?week=*")
    await expect(page.get_by_role("link", name="Текущая")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_week_comes_packed(browser: Browser, region: Launcher, logins: dict[str, Login]) -> None:
    """A later visit of the week stays below 15 KB; sheets and scripts are packed too."""
    page = await sign_in(browser, region, logins["mother"])
    answer = await page.goto(page.url)
    assert answer is not None
    assert await answer.header_value("content-encoding") == "gzip"
    assert (await answer.request.sizes())["responseBodySize"] < 6_000
    sheet = await page.locator("link[href*='portal.css']").get_attribute("href")
    answer = await page.goto(f"{region.region.gateway_url}{sheet}")
    assert answer is not None
    assert await answer.header_value("content-encoding") == "gzip"


async def test_a_teacher_records_a_class_and_the_mother_sees_it(
    browser: Browser, region: Launcher, logins: dict[str, Login], lesson: Lesson
) -> None:
    """Clause R4: recorded means visible."""
    teacher = await sign_in(browser, region, logins["teacher"])
    course = f"{region.region.gateway_url}/schools/{lesson.school_id}/courses/{lesson.course_id}"
    await teacher.goto(course)
    await teacher.goto(f"{course}/lessons/new?other")
    await teacher.get_by_label("Дата").fill(lesson.date)
    await teacher.get_by_label("Номер урока").fill(str(lesson.number))
    await teacher.get_by_label("Тема урока").fill("Формулы сокращённого умножения")
    await teacher.get_by_label("Домашнее задание").fill("№ 214, 216")
    await teacher.get_by_role("button", name="Записать урок").click()
    extra = teacher.get_by_label("Урок проведён не по расписанию")
    await expect(teacher.get_by_role("status").or_(extra)).to_be_visible()
    if await extra.count():
        await extra.check()
        await teacher.get_by_role("button", name="Записать урок").click()
    await expect(teacher.get_by_role("status")).to_contain_text("Сохранено")
    child = await _child_in(region, logins["mother"], lesson)
    cell = teacher.locator(f"input[data-column='1'][name^='mark.{child}.']")
    await cell.fill("5")
    await teacher.locator(f"input[name^='absence.{child}.'][value='4']").check()
    await teacher.get_by_role("button", name="Сохранить").click()
    await expect(teacher.get_by_role("status")).to_contain_text("Сохранено")
    await expect(cell).to_have_value("5")

    mother = await sign_in(browser, region, logins["mother"])
    year, week, _ = date.fromisoformat(lesson.date).isocalendar()
    address = f"{region.region.gateway_url}/schools/{lesson.school_id}/students/{child}/week?week={year}-W{week:02}"
    await mother.goto(address)
    day = mother.locator("section.day", has=mother.locator(f"time[datetime='{lesson.date}']"))
    row = day.get_by_role("row").filter(has_text="Формулы сокращённого умножения")
    await expect(row.locator(".mark")).to_have_text("5")
    await expect(row.get_by_title("опоздание")).to_be_visible()
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    await mother.screenshot(path=PICTURE, full_page=True)


async def test_another_familys_child_is_a_page_that_does_not_exist(
    browser: Browser, region: Launcher, logins: dict[str, Login], lesson: Lesson
) -> None:
    hers = await _child_in(region, logins["mother"], lesson)
    page = await sign_in(browser, region, logins["mother"])
    texts = set()
    for student in (next(student for student in lesson.students if student != hers), new_id()):
        answer = await page.goto(f"{region.region.gateway_url}/schools/{lesson.school_id}/students/{student}/week")
        assert answer is not None
        assert answer.status == 404
        texts.add(await page.locator("main").inner_text())
    assert len(texts) == 1


async def _child_in(region: Launcher, mother: Login, lesson: Lesson) -> str:
    """The mother's child who learns in the course of the lesson."""
    async with signed_in(region, mother) as api:
        schools = (await api.get("/v1/me"))["schools"]
    children: list[str] = [child["studentId"] for school in schools for child in school.get("students", [])]
    return next(child for child in children if child in lesson.students)
