"""The administrator loads a list in the browser: sees line by line what would change, and writes it, or a part."""

from pathlib import Path

from playwright.async_api import Browser, expect

from deploy.local.launcher import Launcher
from tests.support.browser import needs_chromium, sign_in
from tests.support.rosters import open_access, run_command

pytestmark = needs_chromium

_CASES = Path(__file__).parents[1] / "cases/roster"
_CODE = "K02"
_ORDER = ("--order-number", "1", "--order-date", "2026-09-01")
_WAIT = 60_000


async def test_a_list_is_shown_and_its_chosen_lines_are_written(browser: Browser, region: Launcher) -> None:
    bundle = _CASES / "08-any-good.zip"
    await run_command(region, "import-roster", str(bundle), "--school", _CODE, "--enrolled-from", "2026-09-01")
    page = await sign_in(browser, region, await open_access(region, _CODE, "T1", "--role", "admin", *_ORDER))
    await page.get_by_role("link", name="Загрузка списков").click()
    await page.get_by_label("Файл").set_input_files(bundle)
    await page.get_by_label("Номер приказа о зачислении").fill("12-у")
    await page.get_by_label("Дата приказа").fill("2026-08-31")
    await page.get_by_role("button", name="Показать изменения").click()
    await expect(page.get_by_role("heading", name="Проверьте изменения")).to_be_visible(timeout=_WAIT)
    await expect(page.get_by_text("с 01.09.2026, без приказа → с 01.09.2026, приказ № 12-у от 31.08.2026")).to_have_count(3)
    await page.get_by_label("Клеверов").uncheck()
    await page.get_by_role("button", name="Внести отмеченные").click()
    await expect(page.get_by_role("heading", name="Изменения внесены")).to_be_visible(timeout=_WAIT)
    await expect(page.get_by_text("приказы о зачислении: новых 2, изменено 0")).to_be_visible()
    await expect(page.get_by_text("не внесено")).to_have_count(1)

    await page.get_by_role("link", name="Загрузить ещё один файл").click()
    await page.get_by_label("Файл").set_input_files(_CASES / "12-users-that-are-not-enabled.zip")
    await page.get_by_role("button", name="Показать изменения").click()
    await expect(page.get_by_role("heading", name="Ничего не изменено")).to_be_visible(timeout=_WAIT)
    await expect(page.get_by_text("users.csv, строка 8, столбец enabledUser")).to_be_visible()
