"""What families ran into, tried by hand in a browser: a form behind a session that is over, a session that ended elsewhere,
an address that tells what nobody did, a letter about one child of two.
"""

from __future__ import annotations

import re
from datetime import date
from email.message import EmailMessage

from playwright.async_api import Browser, Page, expect

from deploy.local.launcher import Launcher
from tests.support.browser import needs_chromium, sign_in
from tests.support.eventually import eventually
from tests.support.families import list_letters, read_text
from tests.support.region import Login, new_id, signed_in
from tests.support.teaching import find_lesson, find_school

pytestmark = needs_chromium


async def _first_child(region: Launcher, login: Login) -> str:
    """The address of the pages about the family's first child."""
    async with signed_in(region, login) as api:
        school = find_school(await api.get("/v1/me"))
    return f"{region.region.gateway_url}/schools/{school['schoolId']}/students/{school['students'][0]['studentId']}"


async def _enter(page: Page, login: Login) -> None:
    await page.get_by_label("Логин").fill(login.login)
    await page.get_by_label("Пароль").fill(login.password)
    await page.get_by_role("button", name="Войти").click()


async def test_a_statement_outlives_the_session_and_is_told_once(
    browser: Browser, region: Launcher, logins: dict[str, Login]
) -> None:
    """Clause R8. What was done is said on its own page once, and no address says it."""
    mother = logins["mother_in_two_schools"]
    page = await sign_in(browser, region, mother, width=390)
    informing = f"{await _first_child(region, mother)}/informing"
    await page.goto(informing)
    await page.get_by_label("не могу").check()
    await page.context.clear_cookies()
    await page.get_by_role("button", name="Подать заявление").click()
    await expect(page.get_by_text("Вход истёк, форма ещё не отправлена. Войдите, форма сохранится.")).to_be_visible()
    await _enter(page, mother)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Форма сохранилась")
    await page.get_by_role("button", name="Отправить форму").click()
    await expect(page.get_by_role("status")).to_contain_text(re.compile(r"Заявление принято: №\s\d+-Р/\d{4}"))
    await page.get_by_text("Отозвать", exact=True).click()
    await page.get_by_role("button", name="Да, отозвать").click()
    await expect(page.get_by_role("status")).to_have_text("Заявление отозвано.")
    await page.reload()
    await expect(page.get_by_role("status")).to_have_count(0)


async def test_no_address_tells_what_nobody_did(browser: Browser, region: Launcher, logins: dict[str, Login]) -> None:
    page = await sign_in(browser, region, logins["mother"])
    child = await _first_child(region, logins["mother"])
    for address in (f"{child}/informing?revoked", f"{region.region.gateway_url}/notices?saved", f"{child}/week?welcome"):
        await page.goto(address)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await expect(page.get_by_role("status")).to_have_count(0)


async def test_a_session_that_ended_elsewhere_leads_to_sign_in_from_every_page(
    browser: Browser, region: Launcher, logins: dict[str, Login]
) -> None:
    here = await sign_in(browser, region, logins["father"])
    child = await _first_child(region, logins["father"])
    school = child.partition("/students/")[0]
    cookies = await here.context.cookies()
    elsewhere = await browser.new_context(locale="ru-RU")
    await elsewhere.add_cookies([{k: v for k, v in one.items() if k != "partitionKey"} for one in cookies])  # type: ignore[misc]
    page = await elsewhere.new_page()
    await page.goto(f"{region.region.gateway_url}/notices")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Уведомления")
    await here.get_by_role("button", name="Выйти").click()
    await expect(here.get_by_role("button", name="Войти")).to_be_visible()
    for address in (f"{child}/week", f"{region.region.gateway_url}/notices", f"{school}/my-applications", f"{child}/informing"):
        await elsewhere.clear_cookies()
        await elsewhere.add_cookies([{k: v for k, v in one.items() if k != "partitionKey"} for one in cookies])  # type: ignore[misc]
        await page.goto(address)
        await expect(page.get_by_role("status"), address).to_have_text("Вход завершён. Войдите снова.")
        await expect(page.get_by_text("Соловьёв")).to_have_count(0)


async def test_a_letter_of_a_mark_leads_to_the_childs_own_day(
    browser: Browser, region: Launcher, logins: dict[str, Login]
) -> None:
    """Clause R4; the address is one that the demo's mother has from the start."""
    lesson = await find_lesson(region, logins)
    topic = f"Письмо {new_id()[:8]}"
    async with signed_in(region, logins["mother"]) as api:
        children = {child["studentId"] for child in find_school(await api.get("/v1/me"))["students"]}
    child = next(student for student in lesson.students if student in children)
    async with signed_in(region, logins["teacher"]) as teacher:
        await lesson.record(teacher, new_id(), topic=topic)
        await teacher.post(f"{lesson.path}/marks:record", requestId=new_id(), cells=[lesson.cell(child, 5)])

    def find() -> EmailMessage | None:
        letters = list_letters(region, "mama.soloveva@family.example")
        return next((letter for letter in letters if topic in read_text(letter)), None)

    letter = await eventually(find, seconds=30, why="the letter of the mark")
    link = re.search(r"Открыть дневник: (\S+)", read_text(letter))
    assert link
    year, week, _ = date.fromisoformat(lesson.date).isocalendar()
    assert link[1].endswith(f"/schools/{lesson.school_id}/students/{child}/week?week={year}-W{week:02}#d{lesson.date}")
    page = await sign_in(browser, region, logins["mother"], width=390)
    await page.goto(link[1])
    await expect(page.locator(f"#d{lesson.date}")).to_be_in_viewport()
    await expect(page.get_by_text(topic)).to_be_visible()
