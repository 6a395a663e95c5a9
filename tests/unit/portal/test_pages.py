import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chassis.clock import SetClock
from tests.unit.portal.standin import COURSE, LESSON, SCHOOL, STUDENT, StandIn, fields, portal
from tests.unit.portal.standin_cases import ONE_TIME_CODE

TEMPLATES = Path(__file__).parents[3] / "apps/portal"
WEEK = f"/schools/{SCHOOL}/students/{STUDENT}/week"
LESSONS = f"/schools/{SCHOOL}/courses/{COURSE}/lessons"


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 11, 24, 9, tzinfo=UTC))


@pytest.fixture
async def stand_in(clock: SetClock) -> AsyncIterator[StandIn]:
    async with portal(clock) as stand_in:
        yield stand_in


async def test_signing_in_leads_a_family_to_the_first_childs_week(stand_in: StandIn) -> None:
    stand_in.access.roles = []
    browser = stand_in.browser()
    answer = await browser.post("/sign-in", data={"login": "mother", "password": "right"})
    cookies = answer.headers.get_list("set-cookie")
    assert {cookie.split("=")[0] for cookie in cookies} == {"diary_access", "diary_refresh"}
    assert all("HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie for cookie in cookies)
    assert not any("Secure" in cookie for cookie in cookies)
    assert (await browser.get(answer.headers["location"])).headers["location"] == WEEK


async def test_where_people_open_it_by_https_cookies_go_over_nothing_else(clock: SetClock) -> None:
    """Whatever the address within: TLS may end before the gateway."""
    async with portal(clock, "https://diary.test") as stand_in:
        browser = stand_in.browser()
        answer = await browser.post("/sign-in", data={"login": "mother", "password": "right"})
        cookies = answer.headers.get_list("set-cookie")
        assert {cookie.split("=")[0] for cookie in cookies} == {"__Host-diary_access", "__Host-diary_refresh"}
        assert all("Secure" in cookie and "Path=/" in cookie and "Domain" not in cookie for cookie in cookies)
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        kept = "; ".join(cookie.split(";")[0] for cookie in cookies)
        assert (await stand_in.browser(cookie=kept).get(WEEK)).status_code == 200
        ended = await stand_in.browser(cookie=kept).post("/sign-out")
        assert {cookie.split("=")[0] for cookie in ended.headers.get_list("set-cookie")} == {
            "__Host-diary_access",
            "__Host-diary_refresh",
        }
        assert not stand_in.access.live


async def test_the_address_of_the_visitor_is_handed_on(stand_in: StandIn) -> None:
    browser = stand_in.browser(**{"x-diary-client-address": "192.0.2.7"})
    await browser.post("/sign-in", data={"login": "mother", "password": "right"})
    assert [call.metadata["x-forwarded-for"] for call in stand_in.access.calls("CreateSession")] == ["192.0.2.7"]


@pytest.mark.parametrize("written", ["{0}", "123 456", "123-456"])
async def test_a_code_is_asked_for_as_a_step_and_taken_as_it_is_written(stand_in: StandIn, written: str) -> None:
    browser = stand_in.browser()
    asked = await browser.post("/sign-in", data={"login": "head", "password": "right"})
    assert "Пароль подошёл." in asked.text
    assert 'class="problem"' not in asked.text
    assert 'name="password"' not in asked.text
    code = {"code": written.format(ONE_TIME_CODE)}
    form = {**fields(asked, "/sign-in"), **code}
    assert "right" not in form["step"]
    assert (await browser.post("/sign-in", data=form)).status_code == 303
    wrong = await browser.post("/sign-in", data={**form, "code": "654321"})
    assert (wrong.status_code, "Код неверный" in wrong.text, 'name="code"' in wrong.text) == (422, True, True)


async def test_a_password_waits_for_its_code_for_three_minutes_and_in_no_readable_form(
    stand_in: StandIn, clock: SetClock
) -> None:
    browser = stand_in.browser()
    form = fields(await browser.post("/sign-in", data={"login": "head", "password": "right"}), "/sign-in")
    assert set(form) == {"next", "step", "code"}
    blank = await browser.post("/sign-in", data={**form, "code": "12"})
    assert (blank.status_code, "шесть цифр" in blank.text) == (422, True)
    wrong = fields(await browser.post("/sign-in", data={**form, "code": "654321"}), "/sign-in")
    clock.advance(timedelta(seconds=170))
    assert (await browser.post("/sign-in", data={**wrong, "code": ONE_TIME_CODE})).status_code == 303
    clock.advance(timedelta(seconds=20))
    for step in (wrong["step"], "gAAAAA", "ё"):
        late = await browser.post("/sign-in", data={**wrong, "step": step, "code": ONE_TIME_CODE})
        assert (late.status_code, "ещё раз" in late.text, 'name="password"' in late.text) == (422, True, True)
        assert "set-cookie" not in late.headers


def test_a_typed_code_may_be_grouped() -> None:
    """«123 456» is eight signs at most with what is pasted around it."""
    words = "".join(path.read_text() for path in sorted(TEMPLATES.rglob("*.html")))
    fields = re.findall(r"(?:<input[^>]*|\{\{[^}]*)one-time-code[^>}]*", words)
    lengths = [int(length) for field in fields for length in re.findall(r'maxlength="?(\d+)', field)]
    assert len(lengths) == len(fields) >= 2
    assert min(lengths) >= 20


async def test_a_login_too_long_to_be_one_is_not_asked_about(stand_in: StandIn) -> None:
    answer = await stand_in.browser().post("/sign-in", data={"login": "a" * 101, "password": "right"})
    assert (answer.status_code, "Логин или пароль не подошли." in answer.text) == (422, True)
    assert stand_in.access.calls("CreateSession") == []


@pytest.mark.parametrize(
    ("login", "password", "status", "text"),
    [
        ("mother", "wrong", 422, "Логин или пароль не подошли."),
        ("mother", "", 422, "Введите логин и пароль."),
        ("blocked", "right", 429, "Попробуйте через 12\u00a0минут."),
    ],
)
async def test_refused_sign_in_says_why(stand_in: StandIn, login: str, password: str, status: int, text: str) -> None:
    answer = await stand_in.browser().post("/sign-in", data={"login": login, "password": password})
    assert answer.status_code == status
    assert text in answer.text
    assert "set-cookie" not in answer.headers


async def test_a_page_asked_for_before_sign_in_is_come_back_to(stand_in: StandIn) -> None:
    browser = stand_in.browser()
    asked = await browser.get(f"{WEEK}?week=2026-W47")
    form = fields(await browser.get(asked.headers["location"]), "/sign-in")
    answer = await browser.post("/sign-in", data={**form, "login": "mother", "password": "right"})
    assert answer.headers["location"] == f"{WEEK}?week=2026-W47"


@pytest.mark.parametrize("foreign", ["//evil.test/", "https://evil.test/", "/\\evil.test", "/\tx"])
async def test_sign_in_never_leads_to_a_foreign_site(stand_in: StandIn, foreign: str) -> None:
    answer = await stand_in.browser().post("/sign-in", data={"login": "mother", "password": "right", "next": foreign})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.test"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}],
)
async def test_a_post_from_a_foreign_site_is_refused(stand_in: StandIn, headers: dict[str, str]) -> None:
    answer = await stand_in.browser().post("/sign-in", data={"login": "mother", "password": "right"}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_parallel_requests_with_a_run_out_token_all_show_the_page(stand_in: StandIn) -> None:
    browser = await stand_in.signed_in()
    old = {"cookie": f"diary_refresh={browser.cookies['diary_refresh']}"}
    answers = await asyncio.gather(*(stand_in.browser(**old).get(WEEK) for _ in range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.cookies["diary_refresh"] for answer in answers}) == 8


@pytest.mark.parametrize("path", [WEEK, "/", "/notices", "/account/second-factor"])
async def test_a_session_that_ended_elsewhere_leads_to_sign_in_on_every_page(stand_in: StandIn, path: str) -> None:
    """The portal remembers callers for a moment; every service says at once that the session is over."""
    browser = await stand_in.signed_in()
    await browser.get(path)
    stand_in.access.end_all()
    answer = await browser.get(path)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
    shown = await browser.get(answer.headers["location"])
    assert "Вход завершён. Войдите снова." in shown.text
    assert "Вход завершён" not in (await browser.get("/sign-in")).text


async def test_a_refused_access_token_is_renewed_on_the_way(stand_in: StandIn) -> None:
    browser = await stand_in.signed_in()
    stand_in.access.tokens.discard(browser.cookies["diary_access"])
    stand_in.access.tokens.add("another")
    answer = await browser.get(WEEK)
    assert answer.status_code == 200
    assert len(stand_in.access.calls("RefreshSession")) == 1


async def test_an_ended_session_leads_to_sign_in_without_cookies(stand_in: StandIn) -> None:
    browser = await stand_in.signed_in()
    stand_in.access.tokens.clear()
    stand_in.access.live.clear()
    answer = await browser.get(WEEK)
    assert answer.headers["location"].startswith("/sign-in?next=")
    assert "diary_refresh" not in browser.cookies


async def test_signing_out_ends_the_session_and_takes_the_cookies_back(stand_in: StandIn) -> None:
    browser = await stand_in.signed_in()
    answer = await browser.post("/sign-out")
    assert answer.headers["location"] == "/sign-in"
    assert not stand_in.access.live
    assert not browser.cookies


async def test_a_week_shows_marks_and_homework_and_no_markup_of_others(stand_in: StandIn) -> None:
    answer = await (await stand_in.signed_in()).get(WEEK)
    for text in ("Алгебра", "№\u00a0412", "Соколова Анна Дмитриевна", "опоздание", "исправлена", "1\u00a0отметка", "сегодня"):
        assert text in answer.text, text
    assert "&lt;script&gt;" in answer.text
    assert "<script" not in answer.text


async def test_personal_pages_are_kept_nowhere_and_framed_nowhere(stand_in: StandIn) -> None:
    headers = (await (await stand_in.signed_in()).get(WEEK)).headers
    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


async def test_what_is_not_yours_what_is_absent_and_what_is_no_address_look_alike(stand_in: StandIn) -> None:
    browser = await stand_in.signed_in()
    paths = (WEEK.replace(STUDENT, SCHOOL), f"{WEEK}?week=2026-W60", "/schools/1/students/2/week", "/nothing")
    answers = [await browser.get(path) for path in paths]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1


async def test_a_gateway_that_is_away_is_a_page_that_says_to_wait(stand_in: StandIn) -> None:
    browser = await stand_in.signed_in()
    await stand_in.neighbours.stop()
    answer = await browser.get(WEEK)
    assert answer.status_code == 503
    assert "Дневник сейчас недоступен" in answer.text
    assert browser.cookies["diary_refresh"]


async def test_a_defect_is_a_page_with_the_number_of_the_request(stand_in: StandIn) -> None:
    browser = await stand_in.signed_in()
    stand_in.journal.is_broken = True
    number = "0198a000-0000-7000-8000-0000000000ff"
    answer = await browser.get(f"{LESSONS}/{LESSON}", headers={"x-request-id": number})
    assert answer.status_code == 500
    assert number in answer.text
    assert "content-security-policy" in answer.headers


async def test_what_a_page_asks_bears_the_pages_own_id(stand_in: StandIn) -> None:
    browser = await stand_in.signed_in()
    stand_in.neighbours.calls.clear()
    number = "0198a000-0000-7000-8000-0000000000fe"
    await browser.get(f"{LESSONS}/{LESSON}", headers={"x-request-id": number})
    assert {call.metadata["x-request-id"] for call in stand_in.neighbours.calls} == {number}


async def test_who_is_signed_in_is_asked_once_in_ten_seconds(stand_in: StandIn, clock: SetClock) -> None:
    browser = await stand_in.signed_in()
    for _ in range(3):
        assert (await browser.get(WEEK)).status_code == 200
    assert len(stand_in.access.calls("GetCaller")) == 1
    clock.advance(timedelta(seconds=10))
    await browser.get(WEEK)
    assert len(stand_in.access.calls("GetCaller")) == 2


async def test_an_ended_session_is_refused_at_once_though_its_holder_is_remembered(stand_in: StandIn) -> None:
    browser = await stand_in.signed_in()
    assert (await browser.get(WEEK)).status_code == 200
    stand_in.access.tokens.clear()
    stand_in.access.live.clear()
    answer = await browser.get(WEEK)
    assert answer.headers["location"].startswith("/sign-in?next=")
    assert len(stand_in.access.calls("GetCaller")) == 1
