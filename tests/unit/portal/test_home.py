"""Where an account begins, and that every link at the head of a page opens."""

import re
from datetime import UTC, datetime

import pytest

from apps.portal import roles
from chassis.clock import SetClock
from diary.journal.v1 import lesson_pb2
from diary.options.v1 import options_pb2 as options
from tests.unit.portal.standin import COURSE, SCHOOL, STUDENT, portal

_STAFF = (
    options.ROLE_TEACHER,
    options.ROLE_CLASS_TEACHER,
    options.ROLE_DEPUTY,
    options.ROLE_SECRETARY,
    options.ROLE_SPECIALIST,
    options.ROLE_ADMIN,
    options.ROLE_HEAD,
)
_ROLES = (*((role,) for role in _STAFF), (options.ROLE_TEACHER, options.ROLE_CLASS_TEACHER), ())
_DAY = SetClock(datetime(2026, 11, 24, 9, tzinfo=UTC))


@pytest.mark.parametrize("has_child", [False, True])
@pytest.mark.parametrize("posts", _ROLES, ids=lambda posts: "+".join(options.Role.Name(role) for role in posts) or "family")
async def test_whoever_sees_a_link_may_open_it(posts: tuple[options.Role.ValueType, ...], has_child: bool) -> None:
    """Each page calls what its line in navigation says, and the services refuse by `requires`."""
    async with portal(_DAY) as stand_in:
        stand_in.access.roles, stand_in.access.has_child = list(posts), has_child
        stand_in.access.is_strict = True
        browser = await stand_in.signed_in()
        page = await browser.get("/", follow_redirects=True)
        assert page.status_code == 200
        assert "Сейчас не открывается" not in page.text
        head = page.text.partition('<nav class="sections"')[2].partition("</nav>")[0]
        main = page.text.partition("<main")[2]
        links = {link for part in (head, main) for link in re.findall(r'href="(/[^"#]*)"', part)}
        assert links
        for link in links:
            assert (await browser.get(link, follow_redirects=True)).status_code == 200, link


async def test_a_teacher_begins_at_todays_lessons_without_a_record() -> None:
    async with portal(_DAY) as stand_in:
        journal = stand_in.journal
        stand_in.access.roles, stand_in.access.has_child = [options.ROLE_TEACHER], False
        journal.lessons = [
            journal.lesson(lesson_date=day, state=lesson_pb2.LESSON_STATE_PLANNED, topic="")
            for day in ("2026-11-23", "2026-11-24")
        ]
        page = (await (await stand_in.signed_in()).get("/")).text
        assert re.findall(r"/lessons/[^?]+\?date=([0-9-]+)", page) == ["2026-11-24"]
        assert "не заполнено раньше: 1\u00a0урок" in page
        journal.lessons = [journal.lesson()]
        assert "По расписанию на сегодня записывать нечего." in (await (await stand_in.signed_in()).get("/")).text


async def test_of_a_closed_period_and_of_a_journal_that_went_nothing_waits() -> None:
    async with portal(_DAY) as stand_in:
        journal = stand_in.journal
        stand_in.access.roles, stand_in.access.has_child = [options.ROLE_TEACHER], False
        journal.lessons = [journal.lesson(lesson_date="2026-11-24", state=lesson_pb2.LESSON_STATE_PLANNED, topic="")]
        journal.own_courses = [STUDENT, COURSE]
        browser = await stand_in.signed_in()
        assert len(re.findall(r"/lessons/[^?]+\?date=", (await browser.get("/")).text)) == 1
        journal.is_closed = True
        assert "По расписанию на сегодня записывать нечего." in (await browser.get("/")).text


async def test_a_head_reads_of_the_terms_that_the_school_owes() -> None:
    async with portal(_DAY) as stand_in:
        stand_in.access.roles, stand_in.access.has_child = [options.ROLE_HEAD], False
        page = (await (await stand_in.signed_in()).get("/")).text
        assert "Сроки близко или истекли" in page
        asked = stand_in.compliance.calls("ListDeadlines")
        assert sorted(call.request.clause for call in asked) == ["R15", "R7"]


async def test_every_place_of_work_is_somebodys() -> None:
    methods = {value for name, value in vars(roles).items() if name.isupper() and isinstance(value, str)}
    assert methods
    for method in methods:
        assert roles.roles_of(method), method


async def test_who_works_in_a_school_is_welcomed_too() -> None:
    async with portal(_DAY) as stand_in:
        browser = await stand_in.signed_in()
        browser.cookies.set("diary_flash", "welcome~", domain="diary.test")
        assert "В следующий раз входите с логином <strong>mother</strong>" in (await browser.get("/")).text
        assert "В следующий раз" not in (await browser.get("/")).text


async def test_a_part_that_does_not_open_leaves_the_others() -> None:
    async with portal(_DAY) as stand_in:
        stand_in.access.roles = [options.ROLE_TEACHER, options.ROLE_CLASS_TEACHER]
        stand_in.journal.is_broken = True
        page = await (await stand_in.signed_in()).get("/")
        assert page.status_code == 200
        assert "Сейчас не открывается" in page.text
        assert "Заявления на рассмотрении" in page.text


async def test_a_family_of_any_size_is_at_the_week_at_once() -> None:
    async with portal(_DAY) as stand_in:
        stand_in.access.roles = []
        answer = await (await stand_in.signed_in()).get("/")
        assert answer.headers["location"] == f"/schools/{SCHOOL}/students/{STUDENT}/week"
