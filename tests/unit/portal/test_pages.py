import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from chassis.clock import SetClock
from tests.unit.portal.standin import COURSE, LESSON, SCHOOL, STUDENT, StandIn, fields, portal

WEEK = f"/schools/{SCHOOL}/students/{STUDENT}/week"
LESSONS = f"/schools/{SCHOOL}/courses/{COURSE}/lessons"


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 11, 24, 9, tzinfo=UTC))


@pytest.fixture
async def stand_in(clock: SetClock) -> AsyncIterator[StandIn]:
    async with portal(clock) as stand_in:
        yield stand_in


async def test_signing_in_leads_to_the_first_childs_week(stand_in: StandIn) -> None:
    browser = stand_in.browser()
    answer = await browser.post("/sign-in", data={"login": "mother", "password": "right"})
    cookies = answer.headers.get_list("set-cookie")
    assert {cookie.split("=")[0] for cookie in cookies} == {"diary_access", "diary_refresh"}
    assert all("HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie for cookie in cookies)
    assert not any("Secure" in cookie for cookie in cookies)
    assert (await browser.get(answer.headers["location"])).headers["location"] == WEEK


async def test_cookies_are_secure_behind_https(stand_in: StandIn) -> None:
    browser = stand_in.browser(**{"x-forwarded-proto": "https"})
    answer = await browser.post("/sign-in", data={"login": "mother", "password": "right"})
    assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))


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


async def test_parallel_requests_with_a_run_out_token_renew_the_session_once(stand_in: StandIn) -> None:
    browser = await stand_in.signed_in()
    old = {"cookie": f"diary_refresh={browser.cookies['diary_refresh']}"}
    answers = await asyncio.gather(*(stand_in.browser(**old).get(WEEK) for _ in range(8)))
    late = await stand_in.browser(**old).get(WEEK)
    assert [answer.status_code for answer in (*answers, late)] == [200] * 9
    assert stand_in.access.refreshes == 1
    assert {answer.cookies["diary_refresh"] for answer in (*answers, late)} == {"refresh1"}


async def test_a_refused_access_token_is_renewed_on_the_way(stand_in: StandIn) -> None:
    browser = await stand_in.signed_in()
    stand_in.access.tokens.discard(browser.cookies["diary_access"])
    stand_in.access.tokens.add("another")
    answer = await browser.get(WEEK)
    assert answer.status_code == 200
    assert stand_in.access.refreshes == 1


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
    for text in ("Алгебра", "№ 412", "Соколова Анна Дмитриевна", "опоздание", "исправлена", "1\u00a0отметка", "сегодня"):
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
    await stand_in.server.stop(None)
    answer = await browser.get(WEEK)
    assert answer.status_code == 503
    assert "Дневник перезапускается…" in answer.text
    assert browser.cookies["diary_refresh"]


async def test_a_defect_is_a_page_with_the_number_of_the_request(stand_in: StandIn) -> None:
    browser = await stand_in.signed_in()
    stand_in.journal.is_broken = True
    number = "0198a000-0000-7000-8000-0000000000ff"
    answer = await browser.get(f"{LESSONS}/{LESSON}", headers={"x-request-id": number})
    assert answer.status_code == 500
    assert number in answer.text
    assert "content-security-policy" in answer.headers


async def test_who_is_signed_in_is_asked_once_in_ten_seconds(stand_in: StandIn, clock: SetClock) -> None:
    browser = await stand_in.signed_in()
    for _ in range(3):
        assert (await browser.get(WEEK)).status_code == 200
    assert stand_in.access.asked == 1
    clock.advance(timedelta(seconds=10))
    await browser.get(WEEK)
    assert stand_in.access.asked == 2


async def test_an_ended_session_is_refused_at_once_though_its_holder_is_remembered(stand_in: StandIn) -> None:
    browser = await stand_in.signed_in()
    assert (await browser.get(WEEK)).status_code == 200
    stand_in.access.tokens.clear()
    stand_in.access.live.clear()
    answer = await browser.get(WEEK)
    assert answer.headers["location"].startswith("/sign-in?next=")
    assert stand_in.access.asked == 1
