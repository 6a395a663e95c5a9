"""What was just done is told once, on its page, and by no address."""

import pytest
from httpx import AsyncClient

from tests.unit.portal.standin import COURSE, LESSON, SCHOOL, STUDENT, StandIn, fields
from tests.unit.portal.standin_cases import CASE

NOTICES = f"/schools/{SCHOOL}/students/{STUDENT}/notices"
SAVED = "Сохранено."


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("/notices?saved", SAVED),
        (f"/schools/{SCHOOL}/students/{STUDENT}/week?welcome", "Добро пожаловать!"),
        (f"/schools/{SCHOOL}/students/{STUDENT}/informing?revoked", "Заявление отозвано"),
        (f"/schools/{SCHOOL}/applications/{CASE}?granted", "Доступ предоставлен"),
    ],
)
async def test_an_address_alone_tells_of_nothing_done(browser: AsyncClient, address: str, told: str) -> None:
    answer = await browser.get(address)
    assert answer.status_code == 200
    assert told not in answer.text


async def test_what_was_done_is_told_once_on_its_own_page(stand_in: StandIn, browser: AsyncClient) -> None:
    form = fields(await browser.get("/notices"), NOTICES)
    answer = await browser.post(NOTICES, data={**form, "on": "yes"})
    cookie = next(text for text in answer.headers.get_list("set-cookie") if text.startswith("diary_flash="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    elsewhere = dict(browser.cookies)
    assert SAVED in (await browser.get("/notices")).text
    assert SAVED not in (await browser.get("/notices")).text
    browser.cookies.update(elsewhere)
    lesson = await browser.get(f"/schools/{SCHOOL}/courses/{COURSE}/lessons/{LESSON}")
    assert lesson.status_code == 200
    assert "Семьи уже видят" not in lesson.text
