"""Three stories by hand in a browser: a family wants paper, a request is refused, an access ends at once."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from playwright.async_api import Browser, Page, expect

from deploy.local.launcher import Launcher
from deploy.local.region import Size
from tests.support.browser import needs_chromium, open_page, sign_in
from tests.support.papers import needs_poppler, read_codes, read_texts, scan
from tests.support.region import Login, new_id, read_logins, run_region, signed_in
from tests.support.teaching import Lesson, find_lesson, find_school

pytestmark = [needs_chromium, needs_poppler]

# Where the last run's pictures are looked at.
PICTURES = Path(__file__).resolve().parents[2] / ".diary" / "pictures"


@pytest.fixture(scope="module")
async def region() -> AsyncIterator[Launcher]:
    """A region of its own: the head gets a second factor here, and the father loses his access."""
    async with run_region(Size(schools=1, students=330)) as launcher:
        yield launcher


@pytest.fixture(scope="module")
def logins(region: Launcher) -> dict[str, Login]:
    return read_logins(region)


@pytest.fixture
async def lesson(region: Launcher, logins: dict[str, Login]) -> Lesson:
    """A held lesson of this week in the teacher's own class."""
    found = await find_lesson(region, logins, is_of_own_class=True)
    async with signed_in(region, logins["teacher"]) as teacher:
        await found.record(teacher, new_id())
    return found


async def test_a_mother_asks_for_printouts_and_the_class_teacher_prints_for_her(
    browser: Browser, region: Launcher, logins: dict[str, Login], lesson: Lesson
) -> None:
    """Clauses R7, R8; on a phone."""
    child = await _find_child(region, logins["mother"], lesson)
    mother = await sign_in(browser, region, logins["mother"], width=390)
    await mother.goto(f"{region.region.gateway_url}/schools/{lesson.school_id}/students/{child}/informing")
    await mother.get_by_label("не могу").check()
    await mother.get_by_label("выдавать мне лично").check()
    await expect(mother.get_by_label("Как именно передавать распечатку")).to_be_hidden()
    await mother.get_by_role("button", name="Подать заявление").click()
    await expect(mother.get_by_role("status")).to_contain_text(re.compile(r"№\s\d+-Р/\d{4}"))
    told = re.search(r"\d+-Р/\d{4}", await mother.get_by_role("status").inner_text())
    assert told
    await _picture(mother, "informing")
    teacher = await sign_in(browser, region, logins["teacher"])
    await teacher.get_by_role("link", name="Печать за неделю").click()
    await teacher.get_by_role("button", name="Подготовить листы").click()
    await expect(teacher.get_by_role("status")).to_contain_text("Листы готовы.")
    await _picture(teacher, "printouts")
    text = " ".join(read_texts(await _download(teacher, "Скачать PDF"))).replace("\N{NON-BREAKING HYPHEN}", "-")
    assert told[0] in text
    assert text.count("РЕЗУЛЬТАТЫ ОБУЧЕНИЯ") == 1
    assert text.count("просит") == 1
    await expect(teacher.get_by_text("Просит: лично")).to_be_visible()
    await teacher.get_by_role("button", name="Отметить всех: как в заявлении").click()
    await expect(teacher.get_by_role("status")).to_contain_text("Выдача отмечена.")
    await expect(teacher.get_by_label("лично", exact=True)).to_be_checked()


async def test_a_refusal_goes_from_the_class_teacher_over_the_head_to_the_applicant(
    browser: Browser, region: Launcher, logins: dict[str, Login], lesson: Lesson
) -> None:
    """Clauses R19, R22, R23: proposed, signed with a code, printed, scanned, handed over, verified by anyone."""
    teacher = await sign_in(browser, region, logins["teacher"])
    await _file_without_document(teacher, lesson.students[-1])
    case_url = teacher.url.partition("?")[0]
    await teacher.get_by_text("Подготовить отказ", exact=True).click()
    await teacher.get_by_label(re.compile("не относящимся к заявителям")).check()
    await teacher.get_by_role("button", name="Отправить на подпись").click()
    head = await sign_in(browser, region, logins["head"])
    totp = await _connect_second_factor(head, region, logins["head"])
    await head.get_by_role("link", name="К отказам на подпись").click()
    await _picture(head, "refusals")
    await head.get_by_label("Код из приложения").fill("000000")
    await head.get_by_role("button", name="Подписать все").click()
    await expect(head.get_by_role("alert")).to_be_visible()
    await head.get_by_label("Код из приложения").fill(totp.at(_ahead(0)))
    await head.get_by_role("button", name="Подписать все").click()
    await expect(head.get_by_role("status")).to_contain_text("Подписано")
    paper = await _wait_for_paper(head)
    await _upload(head, scan(paper))
    await expect(head.get_by_role("status")).to_contain_text("Загружено сканов: 1")
    await head.locator("input[name=scan]").check()
    await head.get_by_role("button", name="Подтвердить отмеченные").click()
    await expect(head.get_by_role("status")).to_contain_text("Подписано решений: 1")
    await _picture(head, "refusals-signed")
    await teacher.goto(case_url)
    await expect(teacher.get_by_role("link", name="Скачать скан")).to_be_visible()
    await teacher.get_by_role("button", name="Решение выдано").click()
    await expect(teacher.get_by_text("решение выдано лично")).to_be_visible()
    await _picture(teacher, "refused-case")
    await _verify(browser, region, paper)


async def test_a_father_declines_the_diary_and_his_access_is_gone_at_once(
    browser: Browser, region: Launcher, logins: dict[str, Login], lesson: Lesson
) -> None:
    """Clauses R31-R33: his page is gone, the mother's is not; on a phone."""
    child = await _find_child(region, logins["father"], lesson)
    week = f"{region.region.gateway_url}/schools/{lesson.school_id}/students/{child}/week"
    father = await sign_in(browser, region, logins["father"], width=390)
    mother = await sign_in(browser, region, logins["mother"], width=390)
    await father.goto(week.removesuffix("week") + "informing")
    await father.get_by_role("link", name="Отказаться от электронного дневника").click()
    await father.get_by_label("не хочу").check()
    await father.get_by_role("button", name="Дальше").click()
    await _picture(father, "statement")
    await father.get_by_role("button", name="Подать заявление и прекратить мой доступ").click()
    await expect(father.get_by_text(re.compile(r"№\s\d+-ЭД/\d{4}")).first).to_be_visible()
    await _picture(father, "farewell")
    gone = await father.goto(week)
    assert gone is not None
    assert gone.status == 403
    kept = await mother.goto(week)
    assert kept is not None
    assert kept.status == 200


async def _find_child(region: Launcher, login: Login, lesson: Lesson) -> str:
    async with signed_in(region, login) as parent:
        children = find_school(await parent.get("/v1/me"))["students"]
    return str(next(child["studentId"] for child in children if child["studentId"] in lesson.students))


async def _file_without_document(teacher: Page, student_id: str) -> None:
    await teacher.get_by_role("link", name="Заявления", exact=True).click()
    await teacher.get_by_role("link", name="Зарегистрировать заявление").click()
    await teacher.locator(f"a[href$='/applications/new/{student_id}']").click()
    applicant = teacher.get_by_role("group", name="Заявитель 1")
    await applicant.get_by_label("Другой человек").check()
    for label, word in (("Фамилия", "Чужова"), ("Имя", "Раиса"), ("Отчество", "Павловна")):
        await applicant.get_by_label(label).fill(word)
    await applicant.get_by_label("Кем приходится ребёнку").select_option(label="представитель по доверенности")
    await teacher.get_by_role("button", name="Зарегистрировать").click()
    await expect(teacher.get_by_role("status")).to_contain_text("Заявление зарегистрировано за №")


def _ahead(steps: int) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=30 * steps)  # noqa: TID251


async def _connect_second_factor(head: Page, region: Launcher, login: Login) -> pyotp.TOTP:
    await head.goto(f"{region.region.gateway_url}/account/second-factor")
    await head.get_by_label("Ваш пароль").fill(login.password)
    await head.get_by_role("button", name="Получить ключ").click()
    totp = pyotp.TOTP((await head.locator("code.secret").inner_text()).replace(" ", ""))
    await head.get_by_label("Код из приложения").fill(totp.at(_ahead(-1)))
    await head.get_by_role("button", name="Подключить").click()
    await expect(head.get_by_role("status")).to_contain_text("Второй фактор подключён.")
    return totp


async def _wait_for_paper(head: Page) -> bytes:
    """The papers to print, which are made a moment after the signature."""
    button = head.get_by_role("button", name="Скачать для печати")
    for _ in range(30):
        if await button.count():
            break
        await asyncio.sleep(0.5)
        await head.reload()
    async with head.expect_download() as download:
        await button.click()
    file = await (await download.value).path()
    return await asyncio.to_thread(Path(file).read_bytes)


async def _download(page: Page, link: str) -> bytes:
    async with page.expect_download() as download:
        await page.get_by_role("link", name=link).first.click()
    file = await (await download.value).path()
    return await asyncio.to_thread(Path(file).read_bytes)


async def _upload(head: Page, file: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".pdf") as scanned:
        await asyncio.to_thread(Path(scanned.name).write_bytes, file)
        await head.locator("#scan-file").set_input_files(scanned.name)
        await head.get_by_role("button", name="Загрузить скан").click()


async def _verify(browser: Browser, region: Launcher, paper: bytes) -> None:
    """The QR code leads anyone to the page that says the paper is the school's."""
    [link] = read_codes(paper)
    anyone = await open_page(browser, region, f"/verify{link.partition('/verify')[2]}", width=390)
    await expect(anyone.get_by_text("Решение есть в реестре школы")).to_be_visible()
    await _picture(anyone, "verify")


async def _picture(page: Page, name: str) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=PICTURES / f"story-{name}.png", full_page=True)
