"""A session that is over while a form is filled in, and the pages of errors of who is signed in."""

import json
import re
from typing import Any

import pytest
from httpx import AsyncClient, Response
from starlette.routing import Route

from apps.portal.kept_form import KeptForm
from tests.unit.portal.standin import COURSE, LESSON, ORIGIN, SCHOOL, STUDENT, StandIn, fields

PAGE = f"/schools/{SCHOOL}/courses/{COURSE}/lessons/{LESSON}"
KEPT = "Вход истёк, форма ещё не отправлена. Войдите, форма сохранится."


def end_session(stand_in: StandIn, browser: AsyncClient) -> None:
    """The session has ended elsewhere, and the browser has dropped the access token that ran out."""
    stand_in.access.end_all()
    browser.cookies.delete("diary_access")


async def follow_form(browser: AsyncClient, path: str, data: dict[str, str], referer: str = "") -> Response:
    """Posts a form as a browser does, over a redirect that asks for the same post."""
    headers = {"referer": referer} if referer else {}
    answer = await browser.post(path, data=data, headers=headers)
    assert answer.status_code == 307
    return await browser.post(answer.headers["location"], data=data, headers=headers)


async def test_a_form_survives_the_end_of_the_session(stand_in: StandIn, browser: AsyncClient) -> None:
    form = fields(await browser.get(PAGE), PAGE)
    cell = next(name for name in form if name.startswith("mark."))
    typed = {**form, cell: "5", "homework": '№ 7 "б" & <в>', "work_type_id": ""}
    end_session(stand_in, browser)
    asked = await follow_form(browser, f"{PAGE}?date=2026-11-24", typed, f"{ORIGIN}{PAGE}?date=2026-11-24")
    assert asked.status_code == 401
    assert KEPT in asked.text
    assert not stand_in.journal.sent
    entry = fields(asked, "/sign-in")
    wrong = await browser.post("/sign-in", data={**entry, "login": "mother", "password": "wrong"})
    assert wrong.status_code == 422
    entry = fields(wrong, "/sign-in")
    answer = await browser.post("/sign-in", data={**entry, "login": "mother", "password": "right"})
    assert answer.status_code == 200
    assert "Вы вошли как Соколова Мария Викторовна" in answer.text
    assert "Форма «Запись урока», которую вы заполнили раньше, ещё не отправлена" in answer.text
    assert f'href="{PAGE}?date=2026-11-24">Не отправлять' in answer.text
    again = fields(answer, PAGE)
    assert again == typed
    assert (await browser.post(f"{PAGE}?date=2026-11-24", data=again)).status_code == 303
    [sent] = stand_in.journal.sent
    assert [cell.value for cell in sent.marks] == [5]
    assert sent.homework == typed["homework"]


# Never taken along: what has a secret or a file, and forms for who is not signed in.
_NOT_KEPT = {
    "/sign-in",
    "/sign-in/form",
    "/sign-out",
    "/activate",
    "/verify",
    "/account/second-factor",
    "/account/second-factor/confirm",
}


def test_every_form_that_may_be_kept_has_a_name(stand_in: StandIn) -> None:
    starlette: Any = stand_in.application._app
    pages = starlette.routes
    routes = [route for route in pages if isinstance(route, Route) and "POST" in (route.methods or ())]
    paths = {re.sub(r"\{[^}]*\}", SCHOOL, route.path) for route in routes} - _NOT_KEPT
    assert len(paths) > 20
    assert not [path for path in paths if not KeptForm(path, "", ()).name]


async def test_no_address_on_the_way_holds_what_was_typed(stand_in: StandIn, browser: AsyncClient) -> None:
    end_session(stand_in, browser)
    answer = await browser.post(PAGE, data={"topic": "Тайна"})
    assert answer.headers["location"] == f"/sign-in/form?next={PAGE}"
    assert "diary_refresh" not in browser.cookies
    assert all("Тайна" not in cookie for cookie in answer.headers.get_list("set-cookie"))


@pytest.mark.parametrize("secret", ["password", "code", "one_time_password", "new_password"])
async def test_a_form_with_a_secret_is_not_kept(stand_in: StandIn, browser: AsyncClient, secret: str) -> None:
    end_session(stand_in, browser)
    page = "/account/second-factor"
    asked = await follow_form(browser, page, {secret: "тайна", "request_id": "1"}, f"{ORIGIN}{page}")
    assert "Войдите и заполните её снова" in asked.text
    assert "тайна" not in asked.text
    entry = fields(asked, "/sign-in")
    answer = await browser.post("/sign-in", data={**entry, "login": "mother", "password": "right"})
    assert answer.headers["location"] == page


async def test_a_form_with_a_file_is_not_kept(browser: AsyncClient) -> None:
    answer = await browser.post(f"/sign-in/form?next={PAGE}", files={"file": ("scan.pdf", b"%PDF")}, data={"a": "1"})
    assert "Войдите и заполните её снова" in answer.text


@pytest.mark.parametrize(
    "kept",
    [
        "x",
        "[]",
        json.dumps(["https://evil.test/", "", [["a", "1"]]]),
        json.dumps(["//evil.test/", "", [["a", "1"]]]),
        json.dumps(["/", "", "a"]),
    ],
)
async def test_a_made_up_form_leads_nowhere_foreign(stand_in: StandIn, kept: str) -> None:
    browser = stand_in.browser()
    answer = await browser.post("/sign-in", data={"login": "mother", "password": "right", "kept": kept})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("referer", ["https://evil.test/page", "//evil.test", f"{ORIGIN}//evil.test"])
async def test_the_way_back_is_a_page_of_ours(stand_in: StandIn, referer: str) -> None:
    browser = stand_in.browser()
    asked = await browser.post(f"/sign-in/form?next={PAGE}", data={"a": "1"}, headers={"referer": referer})
    answer = await browser.post("/sign-in", data={**fields(asked, "/sign-in"), "login": "mother", "password": "right"})
    assert "evil" not in answer.text


async def test_pages_of_errors_keep_the_head_of_the_page(stand_in: StandIn, browser: AsyncClient) -> None:
    for path in (f"/schools/{SCHOOL}/students/{SCHOOL}/week", "/nothing"):
        answer = await browser.get(path)
        assert answer.status_code == 404
        assert "Выйти" in answer.text
        assert "Соколова Мария Викторовна" in answer.text
    stand_in.journal.is_broken = True
    await browser.get(f"/schools/{SCHOOL}/students/{STUDENT}/week")
    answer = await browser.get(PAGE)
    assert answer.status_code == 500
    assert "Выйти" in answer.text
    assert "Выйти" not in (await stand_in.browser().get("/nothing")).text


async def test_an_error_on_a_renewed_session_keeps_the_session(stand_in: StandIn, browser: AsyncClient) -> None:
    old = browser.cookies["diary_refresh"]
    browser.cookies.delete("diary_access")
    answer = await browser.get(f"/schools/{SCHOOL}/students/{SCHOOL}/week")
    assert answer.status_code == 404
    assert browser.cookies["diary_refresh"] != old
    assert browser.cookies["diary_access"]
