"""A teacher's hands on the page of a lesson, in a real browser before a stand-in of the gateway: what is sent for whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from playwright.async_api import Browser, Locator, Page, expect

from chassis.clock import SystemClock
from diary.journal.v1 import journal_service_pb2 as pb
from diary.journal.v1 import lesson_pb2, mark_pb2
from tests.support.browser import needs_chromium
from tests.support.eventually import eventually
from tests.unit.portal.standin import COURSE, LESSON, SCHOOL, StandIn, portal

pytestmark = needs_chromium

LESSONS = f"/schools/{SCHOOL}/courses/{COURSE}/lessons"
STUDENTS = [f"0198a000-0000-7000-8000-0000000001{number:02}" for number in range(25)]
OFFICE, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    """A class of twenty-five, served on a port of its own."""
    async with portal(SystemClock()) as stand_in:
        stand_in.journal.students = [
            lesson_pb2.JournalStudent(student_id=student_id, display_name=f"Григорьева-{number} Александра Константиновна")
            for number, student_id in enumerate(STUDENTS, 1)
        ]
        yield stand_in


@pytest.fixture
async def address(stand_in: StandIn) -> AsyncIterator[str]:
    config = uvicorn.Config(stand_in.application, host="127.0.0.1", port=0, http="httptools", log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving


async def open_lesson(browser: Browser, address: str, size: dict[str, int] = OFFICE) -> Page:
    """A teacher at the lesson of today."""
    context = await browser.new_context(viewport=size, locale="ru-RU")  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(f"{address}/sign-in?next={LESSONS}/{LESSON}")
    await page.get_by_label("Логин").fill("mother")
    await page.get_by_label("Пароль").fill("right")
    await page.get_by_role("button", name="Войти").click()
    await expect(page.get_by_role("heading", name="Отметки и посещаемость")).to_be_visible()
    return page


def cell(page: Page, number: int, column: int = 1) -> Locator:
    """The mark field of a student of the list."""
    return page.locator(f"input[data-column='{column}'][name^='mark.{STUDENTS[number - 1]}.']")


async def save(page: Page) -> None:
    await page.get_by_role("button", name="Сохранить").click()
    await expect(page.get_by_role("status")).to_contain_text("Сохранено")


def put_marks(stand_in: StandIn, *values: int) -> None:
    """Marks that stand already, from the first student on."""
    stand_in.journal.marks = [
        mark_pb2.JournalMark(
            mark_id=f"0198a000-0000-7000-8000-0000000002{number:02}",
            lesson_id=LESSON,
            student_id=student,
            value=value,
            revision=1,
        )
        for number, (student, value) in enumerate(zip(STUDENTS, values, strict=False))
    ]


def marks_sent(stand_in: StandIn) -> dict[int, int]:
    """Values by the student's number in the list."""
    requests = [request for request in stand_in.journal.sent if isinstance(request, pb.RecordClassRequest)]
    return {STUDENTS.index(one.student_id) + 1: one.value for request in requests for one in request.marks}


async def test_no_key_lands_on_another_student(browser: Browser, stand_in: StandIn, address: str) -> None:
    page = await open_lesson(browser, address)
    await cell(page, 1).focus()
    await page.keyboard.type("5-4н7")
    await expect(cell(page, 4)).to_be_focused()
    await expect(page.locator(".told")).to_have_text(
        "Григорьева-4 Александра Константиновна: «7» — не отметка. Подойдут числа от 2 до 5 и буквы посещаемости."
    )
    await expect(page.locator(".unsaved")).to_have_text("Ещё не сохранено: 2 отметки, посещаемость: 1")
    await save(page)
    assert marks_sent(stand_in) == {1: 5, 2: 4}
    absences = [(one.student_id, one.code) for one in stand_in.journal.absences]
    assert absences == [(STUDENTS[2], lesson_pb2.ABSENCE_CODE_ABSENT)]


@pytest.mark.parametrize("sign", ["-", "+", "б", "1", "x"])
async def test_a_sign_that_cannot_stand_in_a_cell_is_explained_and_moves_nothing(
    browser: Browser, address: str, sign: str
) -> None:
    page = await open_lesson(browser, address)
    await cell(page, 1).focus()
    await page.keyboard.type(sign)
    await expect(page.locator(".told")).not_to_be_empty()
    await expect(cell(page, 1)).to_be_focused()
    await expect(cell(page, 1)).to_have_value("")


async def test_what_was_not_written_stays_told_while_a_run_goes_on(browser: Browser, address: str) -> None:
    page = await open_lesson(browser, address)
    await cell(page, 1).focus()
    await page.keyboard.type("-54н")
    await expect(cell(page, 4)).to_be_focused()
    told = page.locator(".told")
    await expect(told).to_contain_text("Григорьева-1 Александра Константиновна: «-» не записан")
    await expect(told).to_contain_text("Григорьева-3 Александра Константиновна: отсутствие, причина не указана.")


async def test_a_space_takes_an_absence_back(browser: Browser, stand_in: StandIn, address: str) -> None:
    stand_in.journal.absences = [
        lesson_pb2.JournalAbsence(lesson_id=LESSON, student_id=STUDENTS[1], code=lesson_pb2.ABSENCE_CODE_EXCUSED)
    ]
    page = await open_lesson(browser, address)
    await cell(page, 1).focus()
    await page.keyboard.type("н")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.type("  5")
    await expect(page.locator(".unsaved")).to_have_text("Ещё не сохранено: 1 отметка, посещаемость: 1")
    await save(page)
    assert marks_sent(stand_in) == {3: 5}
    assert stand_in.journal.absences == []


async def paste(field: Locator, text: str) -> None:
    """As Ctrl+V does, with nothing of the machine's clipboard."""
    await field.evaluate(
        """(field, text) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/plain", text);
            field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        text,
    )


async def test_a_pasted_column_goes_down_the_class_by_the_rules_of_a_key(
    browser: Browser, stand_in: StandIn, address: str
) -> None:
    put_marks(stand_in, 3, 4)
    page = await open_lesson(browser, address)
    await cell(page, 1).focus()
    await paste(cell(page, 1), "5\r\n4\r\n\r\nн\r\n5-\r\n2\t3\r\n10\r\n")
    await expect(page.locator(".told")).to_have_text(
        "Вставлено: 3. Не подошло: Григорьева-1 Александра Константиновна «5», Григорьева-5 Александра Константиновна «5-», "
        "Григорьева-7 Александра Константиновна «10»."
    )
    await expect(cell(page, 7)).to_be_focused()
    await expect(cell(page, 6, 2)).to_have_value("3")
    await save(page)
    [sent] = [request for request in stand_in.journal.sent if isinstance(request, pb.RecordClassRequest)]
    assert [(one.student_id, one.value) for one in sent.marks] == [(STUDENTS[5], 2), (STUDENTS[5], 3)]
    assert [one.student_id for one in stand_in.journal.absences] == [STUDENTS[3]]


async def test_a_column_longer_than_the_class_says_so(browser: Browser, address: str) -> None:
    page = await open_lesson(browser, address)
    await cell(page, 24).focus()
    await paste(cell(page, 24), "5\n4\n3\n2")
    await expect(page.locator(".told")).to_have_text("Вставлено: 2. Не подошло: лишних строк: 2.")


async def test_a_run_of_digits_replaces_no_mark_that_stands(browser: Browser, stand_in: StandIn, address: str) -> None:
    put_marks(stand_in, 3, 5)
    page = await open_lesson(browser, address)
    await cell(page, 1).focus()
    await page.keyboard.type("22222")
    await expect(page.locator(".told")).to_contain_text("здесь уже стоит 3")
    await expect(cell(page, 1)).to_have_value("3")
    await page.keyboard.press("Backspace")
    await page.keyboard.type("2")
    await expect(page.locator(".unsaved")).to_have_text("Ещё не сохранено: 1 отметка (вместо прежних: 1)")
    await expect(cell(page, 1)).to_have_class("changed")
    await save(page)
    assert marks_sent(stand_in) == {1: 2}


async def test_the_last_digit_of_a_run_stays_the_last_students(browser: Browser, stand_in: StandIn, address: str) -> None:
    page = await open_lesson(browser, address)
    await cell(page, 24).focus()
    await page.keyboard.type("345")
    await save(page)
    assert marks_sent(stand_in) == {24: 3, 25: 4}


async def test_leaving_with_something_typed_asks_first(browser: Browser, stand_in: StandIn, address: str) -> None:
    page = await open_lesson(browser, address)
    asked: list[str] = []

    async def stay(dialog: object) -> None:
        asked.append(dialog.type)  # type: ignore[attr-defined]
        await dialog.dismiss()  # type: ignore[attr-defined]

    page.on("dialog", stay)
    await cell(page, 1).focus()
    await page.keyboard.type("5")
    await page.get_by_label("Домашнее задание").fill("№ 7")
    await page.locator(".back a").click()
    await expect(cell(page, 1)).to_have_value("5")
    assert asked == ["beforeunload"]
    await save(page)
    assert marks_sent(stand_in) == {1: 5}
    assert stand_in.journal.lessons[-1].homework == "№ 7"
    await page.locator(".back a").click()
    await expect(page).to_have_url(f"{address}/schools/{SCHOOL}/courses/{COURSE}")
    assert asked == ["beforeunload"]


async def test_a_lost_network_loses_nothing_typed(browser: Browser, stand_in: StandIn, address: str) -> None:
    page = await open_lesson(browser, address)
    await cell(page, 1).focus()
    await page.keyboard.type("54")
    await page.context.set_offline(True)
    await page.get_by_role("button", name="Сохранить").click()
    await expect(page.locator(".told")).to_contain_text("Нет связи с дневником. Ничего не потеряно")
    await expect(cell(page, 2)).to_have_value("4")
    await page.context.set_offline(False)
    await save(page)
    assert marks_sent(stand_in) == {1: 5, 2: 4}


@pytest.mark.parametrize("size", [OFFICE, PHONE], ids=["office", "phone"])
async def test_no_focused_field_is_behind_the_bar_and_a_good_save_shows_the_class(
    browser: Browser, stand_in: StandIn, address: str, size: dict[str, int]
) -> None:
    page = await open_lesson(browser, address, size)
    await cell(page, 1).focus()
    hidden = []
    for number in range(1, len(STUDENTS) + 1):
        await expect(cell(page, number)).to_be_focused()
        field, bar = await cell(page, number).bounding_box(), await page.locator(".bar").bounding_box()
        assert field is not None
        assert bar is not None
        # The last students stand above the bar where it has come to rest.
        if field["y"] < 0 or field["y"] + field["height"] > bar["y"]:
            hidden.append(number)
        await page.keyboard.press("Enter")
    assert hidden == []
    await cell(page, 9).focus()
    await page.keyboard.type("7")
    await expect(page.locator(".told")).not_to_be_empty()
    field, bar = await cell(page, 9).bounding_box(), await page.locator(".bar").bounding_box()
    assert field is not None
    assert bar is not None
    assert field["y"] + field["height"] <= bar["y"]
    await cell(page, 1).focus()
    await page.keyboard.type("5")
    await save(page)
    await expect(page.get_by_role("status")).to_be_in_viewport()
    await expect(cell(page, 1)).to_be_in_viewport()
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


async def test_after_a_refusal_the_first_wrong_cell_has_the_focus(browser: Browser, stand_in: StandIn, address: str) -> None:
    stand_in.journal.outcome = mark_pb2.CELL_STATE_CONFLICT
    page = await open_lesson(browser, address)
    await cell(page, 20).focus()
    await page.keyboard.type("5")
    await page.get_by_role("button", name="Сохранить").click()
    await expect(page.get_by_role("alert").get_by_role("link")).to_have_text("Григорьева-20 Александра Константиновна")
    await expect(cell(page, 20)).to_be_focused()
    await expect(cell(page, 20)).to_be_in_viewport()
