"""From the paper application to the first week and the letters, by hand in a browser."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from deploy.local.launcher import Launcher
from tests.support.browser import needs_chromium, open_page, sign_in
from tests.support.eventually import eventually
from tests.support.families import OWN_PASSWORD, find_letter, find_student, read_text, register
from tests.support.papers import needs_poppler, read_texts
from tests.support.region import Login, new_id, signed_in

pytestmark = [needs_chromium, needs_poppler]

# Where the last run's picture of the case is looked at.
PICTURE = Path(__file__).resolve().parents[2] / ".diary" / "pictures" / "case.png"


async def test_a_mother_gets_her_slip_and_a_father_his_letter(
    browser: Browser, region: Launcher, logins: dict[str, Login]
) -> None:
    """Clauses R9-R12, R15, R25, R26, R29."""
    email = f"{new_id()[:8]}@family.example"
    teacher = await sign_in(browser, region, logins["teacher"])
    _, student_id = await find_student(region, logins)
    await teacher.get_by_role("link", name="Заявления").click()
    await teacher.get_by_role("link", name="Зарегистрировать заявление").click()
    await teacher.locator(f"a[href$='/applications/new/{student_id}']").click()
    await _fill_in_new_person(teacher, 1, "Лугова Анна Сергеевна", "мать")
    await _fill_in_new_person(teacher, 2, "Лугов Иван Петрович", "отец")
    father = teacher.get_by_role("group", name="Заявитель 2")
    await father.get_by_label("направить на электронную почту").check()
    await teacher.get_by_role("button", name="Зарегистрировать").click()
    await expect(teacher.get_by_role("alert")).to_contain_text("Заявитель 2: Чтобы направить логин и пароль")
    await father.get_by_label("Электронная почта").fill(email)
    await teacher.get_by_role("button", name="Зарегистрировать").click()
    await expect(teacher.get_by_role("status")).to_contain_text("Заявление зарегистрировано за №")
    await expect(teacher.get_by_text(re.compile(r"до\s\d\d\.\d\d\.\d{4}\s24:00")).first).to_be_visible()

    await teacher.get_by_text("Предоставить доступ", exact=True).click()
    await teacher.get_by_role("button", name="Да, предоставить").click()
    await expect(teacher.get_by_role("status")).to_contain_text("Доступ предоставлен.")
    login, password = await _print_slip(teacher)
    await teacher.get_by_role("button", name="Напечатать памятку доступа").first.click()
    await expect(teacher.get_by_role("alert")).to_contain_text("Эта памятка уже напечатана.")
    await teacher.get_by_role("button", name="Выдано, расписка получена").first.click()
    await expect(teacher.get_by_text("расписка получена").first).to_be_visible()

    mother = await _activate_by_slip(browser, region, login, password)
    assert f"/students/{student_id}/week" in mother.url
    await mother.get_by_role("link", name="Уведомления").click()
    await expect(mother.get_by_text("Адреса для писем у школы нет")).to_be_visible()
    await _father_follows_his_letter(browser, region, email)

    await teacher.reload()
    await expect(teacher.get_by_text("вход выполнен, свой пароль создан")).to_have_count(2)
    await expect(teacher.get_by_role("button", name="Напечатать")).to_have_count(0)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    await teacher.screenshot(path=PICTURE, full_page=True)


async def _fill_in_new_person(teacher: Page, number: int, name: str, kind: str) -> None:
    family, given, patronymic = name.split()
    applicant = teacher.get_by_role("group", name=f"Заявитель {number}")
    await applicant.get_by_label("Другой человек").check()
    await applicant.get_by_label("Фамилия").fill(family)
    await applicant.get_by_label("Имя").fill(given)
    await applicant.get_by_label("Отчество").fill(patronymic)
    await applicant.get_by_label("Кем приходится ребёнку").select_option(label=kind)
    await applicant.get_by_label("Документ, подтверждающий полномочия").fill("Свидетельство о рождении I-АЯ № 123456")


async def _print_slip(teacher: Page) -> tuple[str, str]:
    """Login and one-time password as the downloaded slip has them."""
    async with teacher.expect_download() as download:
        await teacher.get_by_role("button", name="Напечатать памятку доступа").first.click()
    slip = await download.value
    assert slip.suggested_filename == "Памятка доступа.pdf"
    path = Path(await slip.path())
    [text] = read_texts(await asyncio.to_thread(path.read_bytes))
    found = [re.search(rf"{word}:\s*(\S+)", text) for word in ("Логин", "пароль")]
    assert all(found)
    login, password = (match[1] for match in found if match)
    return login, password


async def _activate_by_slip(browser: Browser, region: Launcher, login: str, password: str) -> Page:
    """First the one-time password at the sign-in page, then a wrong one, then the right one; on a phone."""
    page = await open_page(browser, region, "/sign-in", width=390)
    await page.get_by_label("Логин").fill(login)
    await page.get_by_label("Пароль").fill(password)
    await page.get_by_role("button", name="Войти").click()
    await expect(page.get_by_role("alert")).to_contain_text("Это одноразовый пароль.")
    await expect(page.get_by_label("Логин", exact=True)).to_have_value(login)
    await page.get_by_label("Одноразовый пароль").fill("abcd-efgh-2345")
    await _set_own_password(page)
    await expect(page.get_by_role("alert")).to_contain_text("Ссылка, логин или одноразовый пароль не подошли.")
    await page.get_by_label("Одноразовый пароль").fill(password)
    await _set_own_password(page)
    await expect(page.get_by_role("status")).to_contain_text(
        f"Добро пожаловать! Пароль создан. В следующий раз входите с логином {login}"
    )
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Неделя")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return page


async def _set_own_password(page: Page) -> None:
    await page.get_by_label("Свой пароль", exact=True).fill(OWN_PASSWORD)
    await page.get_by_label("Свой пароль ещё раз").fill(OWN_PASSWORD)
    await page.get_by_role("button", name="Создать пароль и войти").click()


async def _father_follows_his_letter(browser: Browser, region: Launcher, email: str) -> None:
    """The token leaves the address before anything is asked for; after the first sign-in letters can be switched."""
    letter = await eventually(lambda: find_letter(region, email, "Доступ"), seconds=30, why="the letter of the access")
    link = re.search(r"(/activate)#(\S+)", read_text(letter))
    login = re.search(r"Ваш логин: (\S+)", read_text(letter))
    assert link
    assert login
    asked: list[str] = []
    page = await open_page(browser, region, "/sign-in")
    page.on("request", lambda request: asked.append(f"{request.url} {request.headers.get('referer', '')}"))
    await page.goto(f"{region.region.gateway_url}{link[0]}")
    await expect(page.get_by_text("Ссылка из письма принята.")).to_be_visible()
    assert page.url == f"{region.region.gateway_url}/activate"
    # A browser keeps the password under this name.
    await expect(page.locator("input[autocomplete=username]:visible")).to_have_value(login[1])
    await _set_own_password(page)
    await expect(page.get_by_role("status")).to_contain_text("Добро пожаловать!")
    assert not [told for told in asked if link[2] in told.partition("#")[0] or link[2] in told.partition(" ")[2]]
    await page.get_by_role("link", name="Уведомления").click()
    await expect(page.get_by_text(f"{email[0]}•••{email.partition('@')[0][-1]}@family.example")).to_be_visible()
    before = await page.locator(".notice strong").inner_text()
    await page.get_by_role("button", name=re.compile("ключить")).click()
    await expect(page.get_by_role("status")).to_have_text("Сохранено.")
    assert {before, await page.locator(".notice strong").inner_text()} == {"включено", "выключено"}


@pytest.mark.parametrize("role", ["head", "secretary"])
async def test_head_and_secretary_read_cases_and_grant_none(
    browser: Browser, region: Launcher, logins: dict[str, Login], role: str
) -> None:
    """Clause R9, decision 10."""
    async with signed_in(region, logins["teacher"]) as teacher:
        lesson, student_id = await find_student(region, logins)
        case = await register(teacher, lesson, student_id, f"{new_id()[:8]}@family.example")
    page = await sign_in(browser, region, logins[role])
    await page.get_by_role("link", name="Заявления").click()
    await page.get_by_role("link", name="Все").click()
    await page.get_by_role("link", name=case.application["number"], exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Дело по заявлению")
    await expect(page.get_by_text("Предоставить доступ", exact=True)).to_have_count(0)
    await expect(page.get_by_role("button", name="Напечатать")).to_have_count(0)
