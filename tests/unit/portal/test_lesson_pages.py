"""The page of a lesson: one form, one save, over whatever others saved meanwhile."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from httpx import AsyncClient

from chassis.clock import SetClock
from diary.journal.v1 import lesson_pb2, mark_pb2
from diary.options.v1 import options_pb2
from tests.unit.portal.standin import CLASSMATE, COURSE, LESSON, SCHOOL, STUDENT, StandIn, fields, portal

LESSONS = f"/schools/{SCHOOL}/courses/{COURSE}/lessons"
PAGE = f"{LESSONS}/{LESSON}"
ABSENT, EXCUSED = lesson_pb2.ABSENCE_CODE_ABSENT, lesson_pb2.ABSENCE_CODE_EXCUSED
PLANNED = lesson_pb2.LESSON_STATE_PLANNED


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    async with portal(SetClock(datetime(2026, 11, 24, 9, tzinfo=UTC))) as stand_in:
        yield stand_in


def absence(student_id: str, code: lesson_pb2.AbsenceCode.ValueType = ABSENT) -> lesson_pb2.JournalAbsence:
    return lesson_pb2.JournalAbsence(lesson_id=LESSON, student_id=student_id, code=code)


def mark_name(form: dict[str, str], student_id: str = STUDENT) -> str:
    return next(name for name in form if name.startswith(f"mark.{student_id}."))


def words(**typed: str) -> dict[str, str]:
    """What a browser posts of the fields that are no inputs, and what was typed."""
    return {"topic": "Корни", "homework": "", "work_type_id": ""} | typed


async def open_form(browser: AsyncClient, path: str = PAGE) -> dict[str, str]:
    return fields(await browser.get(path), path if path == PAGE else LESSONS) | {"homework": "", "work_type_id": ""}


async def test_one_save_keeps_topic_marks_and_absences(stand_in: StandIn, browser: AsyncClient) -> None:
    form = await open_form(browser)
    typed = {**form, "topic": "Степени", mark_name(form): "5", f"absence.{CLASSMATE}.0": "1"}
    answer = await browser.post(PAGE, data=typed)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?date=2026-11-24#class")
    [record] = stand_in.journal.sent
    assert (record.topic, record.etag) == ("Степени", "1")
    assert [(cell.student_id, cell.value) for cell in record.marks] == [(STUDENT, 5)]
    assert [(one.student_id, one.code) for one in record.absences] == [(CLASSMATE, ABSENT)]
    assert "Сохранено. Семьи уже видят изменения." in (await browser.get(PAGE)).text
    assert "Сохранено. Семьи" not in (await browser.get(PAGE)).text


async def test_a_form_sent_twice_sends_the_same_requests(stand_in: StandIn, browser: AsyncClient) -> None:
    form = await open_form(browser)
    cell = mark_name(form)
    for _ in range(2):
        assert (await browser.post(PAGE, data={**form, cell: "5"})).status_code == 303
    record, again = stand_in.journal.sent
    assert again == record
    assert record.absences == []


async def test_a_record_that_nobody_touched_is_sent_as_it_stands(stand_in: StandIn, browser: AsyncClient) -> None:
    """Which changes nothing; the form's own words may be older than another hand's."""
    form = await open_form(browser)
    stand_in.journal.lessons = [stand_in.journal.lesson(topic="Чужая тема", homework="№ 7", etag="9")]
    await browser.post(PAGE, data={**form, f"absence.{STUDENT}.0": "1"})
    [record] = stand_in.journal.sent
    assert (record.topic, record.homework, record.etag) == ("Чужая тема", "№ 7", "9")


async def test_a_form_that_says_what_stands_sends_nothing(stand_in: StandIn, browser: AsyncClient) -> None:
    stand_in.journal.lessons = [stand_in.journal.lesson(attendance_etag="A1")]
    stand_in.journal.absences = [absence(STUDENT)]
    assert (await browser.post(PAGE, data=await open_form(browser))).status_code == 303
    assert stand_in.journal.sent == []


async def test_what_another_recorded_meanwhile_is_not_undone(stand_in: StandIn, browser: AsyncClient) -> None:
    form = await open_form(browser)
    stand_in.journal.lessons = [stand_in.journal.lesson(homework="№ 7", etag="9")]
    await browser.post(PAGE, data={**form, "topic": "Степени"})
    [record] = stand_in.journal.sent
    assert (record.topic, record.homework, record.etag) == ("Степени", "№ 7", "9")


async def test_a_field_that_both_changed_is_asked_about(stand_in: StandIn, browser: AsyncClient) -> None:
    form = await open_form(browser)
    stand_in.journal.lessons = [stand_in.journal.lesson(topic="Чужая тема", etag="9")]
    answer = await browser.post(PAGE, data={**form, "topic": "Моя тема"})
    assert answer.status_code == 409
    assert "другим сотрудником или вами в другой вкладке, сейчас в журнале: «Чужая тема»" in answer.text
    again = fields(answer, PAGE) | {"homework": "", "work_type_id": ""}
    assert again["topic"] == "Моя тема"
    assert (await browser.post(PAGE, data=again)).status_code == 303
    assert [record.topic for record in stand_in.journal.sent] == ["Чужая тема", "Моя тема"]


async def test_anothers_absence_survives_a_page_opened_before_it(stand_in: StandIn, browser: AsyncClient) -> None:
    form = await open_form(browser)
    stand_in.journal.absences = [absence(CLASSMATE)]
    assert (await browser.post(PAGE, data={**form, f"absence.{STUDENT}.0": "1"})).status_code == 303
    assert {one.student_id for one in stand_in.journal.absences} == {STUDENT, CLASSMATE}


async def test_a_part_that_is_refused_keeps_the_whole_class_as_it_was_typed(stand_in: StandIn, browser: AsyncClient) -> None:
    form = await open_form(browser)
    stand_in.journal.stranger = CLASSMATE
    typed = {**form, "topic": "Степени", mark_name(form): "5", f"absence.{CLASSMATE}.0": "1"}
    answer = await browser.post(PAGE, data=typed)
    assert answer.status_code == 422
    assert f'<a href="#s2">{stand_in.journal.students[1].display_name}</a>' in answer.text
    again = fields(answer, PAGE)
    assert (again["topic"], again[mark_name(again)], again[f"absence.{CLASSMATE}.0"]) == ("Степени", "5", "1")


async def test_an_absence_that_comes_while_saving_survives_too(stand_in: StandIn, browser: AsyncClient) -> None:
    form = await open_form(browser)
    stand_in.journal.faster = [[absence(CLASSMATE)], [absence(CLASSMATE, EXCUSED)]]
    assert (await browser.post(PAGE, data={**form, f"absence.{STUDENT}.0": "1"})).status_code == 303
    assert {(one.student_id, one.code) for one in stand_in.journal.absences} == {(STUDENT, ABSENT), (CLASSMATE, EXCUSED)}


async def test_a_line_that_both_changed_is_asked_about_and_the_others_are_saved(
    stand_in: StandIn, browser: AsyncClient
) -> None:
    form = await open_form(browser)
    stand_in.journal.absences = [absence(STUDENT, EXCUSED)]
    typed = {**form, f"absence.{STUDENT}.0": "1", f"absence.{CLASSMATE}.0": "4"}
    answer = await browser.post(PAGE, data=typed)
    assert answer.status_code == 409
    assert "другим сотрудником или вами в другой вкладке: У" in answer.text
    assert '<a href="#s1">Соколова Анна Дмитриевна</a>' in answer.text
    assert {(one.student_id, one.code) for one in stand_in.journal.absences} == {(STUDENT, EXCUSED), (CLASSMATE, 4)}
    again = fields(answer, PAGE) | {"homework": "", "work_type_id": ""}
    assert again[f"absence.{STUDENT}.{EXCUSED}"] == str(ABSENT)
    assert (await browser.post(PAGE, data=again)).status_code == 303
    assert (STUDENT, ABSENT) in {(one.student_id, one.code) for one in stand_in.journal.absences}


async def test_what_was_typed_into_a_lesson_that_is_gone_stays(stand_in: StandIn, browser: AsyncClient) -> None:
    form = await open_form(browser)
    stand_in.journal.lessons = []
    answer = await browser.post(PAGE, data={**form, "homework": "№ 7, 8", mark_name(form): "5"})
    assert answer.status_code == 422
    assert "Этого урока в журнале больше нет." in answer.text
    assert "№ 7, 8" in answer.text
    assert "5" in [value for name, value in fields(answer, LESSONS).items() if name.startswith(f"mark.{STUDENT}.")]
    assert stand_in.journal.sent == []


async def test_a_mark_conflict_is_shown_beside_its_cell_which_has_the_focus(stand_in: StandIn, browser: AsyncClient) -> None:
    stand_in.journal.outcome = mark_pb2.CELL_STATE_CONFLICT
    form = await open_form(browser)
    answer = await browser.post(PAGE, data={**form, mark_name(form): "5"})
    assert answer.status_code == 409
    assert "изменил другой сотрудник: 4" in answer.text
    [focused] = [line for line in answer.text.split("<input") if " autofocus" in line]
    assert 'aria-invalid="true"' in focused
    again = fields(answer, PAGE)
    assert [value for name, value in again.items() if name.startswith("mark.") and ".2." in name] == ["5"]


async def test_a_mark_beside_an_absence_is_asked_about(stand_in: StandIn, browser: AsyncClient) -> None:
    form = await open_form(browser)
    typed = {**form, mark_name(form): "4", f"absence.{STUDENT}.0": "1", mark_name(form, CLASSMATE): "3"}
    answer = await browser.post(PAGE, data=typed)
    assert answer.status_code == 409
    assert "Ученика не было, а отметка стоит: так и нужно" in answer.text
    [record] = stand_in.journal.sent
    assert [cell.student_id for cell in record.marks] == [CLASSMATE]
    assert not stand_in.journal.absences
    again = fields(answer, PAGE) | {"homework": "", "work_type_id": "", f"both.{STUDENT}": "on"}
    assert (await browser.post(PAGE, data=again)).status_code == 303
    assert [one.student_id for one in stand_in.journal.absences] == [STUDENT]
    assert STUDENT in {cell.student_id for cell in stand_in.journal.sent[-1].marks}


async def test_illness_is_offered_to_who_may_see_it(stand_in: StandIn, browser: AsyncClient) -> None:
    assert "отсутствие по болезни" not in (await browser.get(PAGE)).text
    stand_in.journal.sees_illness = True
    assert "отсутствие по болезни" in (await browser.get(PAGE)).text


async def test_a_course_without_marks_does_not_speak_of_them(stand_in: StandIn, browser: AsyncClient) -> None:
    stand_in.journal.is_marked = False
    page = await browser.get(PAGE)
    assert "Отметка — число" not in page.text
    assert "отмечают только посещаемость" in page.text


async def test_a_lesson_of_a_closed_period_is_for_reading(stand_in: StandIn, browser: AsyncClient) -> None:
    stand_in.journal.is_closed = True
    page = await browser.get(PAGE)
    assert "Учебный период закрыт: записи в нём больше не меняются." in page.text
    assert "Корни" in page.text
    assert "<input" not in page.text.partition("<main")[2]
    journal = await browser.get(f"/schools/{SCHOOL}/courses/{COURSE}")
    assert "Записать урок" not in journal.text


async def test_what_was_typed_while_the_period_was_closed_stays_in_sight(stand_in: StandIn, browser: AsyncClient) -> None:
    form = await open_form(browser)
    stand_in.journal.is_closed, stand_in.journal.lessons = True, []
    answer = await browser.post(PAGE, data={**form, "topic": "Степени", "lesson_date": "2026-11-25", mark_name(form): "5"})
    assert answer.status_code == 422
    assert 'value="Степени"' in answer.text


async def test_todays_planned_lessons_are_proposed_first(stand_in: StandIn, browser: AsyncClient) -> None:
    make = stand_in.journal.lesson
    stand_in.journal.lessons = [
        make(lesson_id=STUDENT, lesson_date="2026-11-20", lesson_number=1, state=PLANNED),
        make(state=PLANNED, topic=""),
        make(lesson_id=CLASSMATE, lesson_date="2026-11-27", state=PLANNED),
    ]
    page = await browser.get(f"{LESSONS}/new")
    assert page.text.index(f"{PAGE}?date=2026-11-24") < page.text.index(f"{LESSONS}/{STUDENT}?date=2026-11-20")
    assert CLASSMATE not in page.text.partition("<main")[2]
    assert "Записать 2 урок сегодня" in (await browser.get(f"/schools/{SCHOOL}/courses/{COURSE}")).text


async def test_a_lesson_out_of_the_timetable_is_recorded_when_it_is_meant(stand_in: StandIn, browser: AsyncClient) -> None:
    stand_in.journal.lessons.append(stand_in.journal.lesson(lesson_id=STUDENT, lesson_date="2026-11-27", state=PLANNED))
    form = await open_form(browser, f"{LESSONS}/new?other")
    typed = {**form, **words(), "lesson_number": "5", mark_name(form): "5"}
    answer = await browser.post(LESSONS, data=typed)
    assert answer.status_code == 422
    assert "По расписанию урока нет." in answer.text
    assert not stand_in.journal.sent
    again = fields(answer, LESSONS) | words(topic="Моя тема", is_extra="on")
    assert again[mark_name(again)] == "5"
    assert (await browser.post(LESSONS, data=again)).status_code == 303
    assert [(record.lesson_number, record.marks[0].value) for record in stand_in.journal.sent] == [(5, 5)]


async def test_a_number_that_is_taken_leads_to_the_lesson_that_has_it(stand_in: StandIn, browser: AsyncClient) -> None:
    form = await open_form(browser, f"{LESSONS}/new")
    answer = await browser.post(LESSONS, data={**form, **words(topic="Другая"), "lesson_number": "2"})
    assert answer.status_code == 422
    assert "Урок №\u00a02 за этот день уже записан: «Корни»" in answer.text
    assert f'<a href="{PAGE}?date=2026-11-24">Открыть этот урок</a>' in answer.text
    assert not stand_in.journal.sent


async def test_a_refused_lesson_keeps_the_whole_class(stand_in: StandIn, browser: AsyncClient) -> None:
    form = await open_form(browser, f"{LESSONS}/new")
    typed = {**form, **words(topic="Моя тема"), "lesson_number": "4", "lesson_date": "2026-12-01"}
    answer = await browser.post(LESSONS, data={**typed, mark_name(form): "5", f"absence.{CLASSMATE}.0": "1"})
    assert answer.status_code == 422
    assert "День этого урока ещё не наступил" in answer.text
    again = fields(answer, LESSONS)
    assert (again["topic"], again[mark_name(again)], again[f"absence.{CLASSMATE}.0"]) == ("Моя тема", "5", "1")
    assert again["form_id"] != form["form_id"]


async def test_a_lesson_without_marks_and_absences_can_be_taken_back(stand_in: StandIn, browser: AsyncClient) -> None:
    action = f"{PAGE}/retract"
    form = fields(await browser.get(PAGE), action)
    refused = await browser.post(action, data=form)
    assert refused.status_code == 422
    assert "Напишите, почему урок отозван." in refused.text
    answer = await browser.post(action, data={**form, "reason": "не тот день"})
    assert "Урок отозван." in (await browser.get(answer.headers["location"])).text
    stand_in.journal.absences = [absence(STUDENT)]
    assert action not in (await browser.get(PAGE)).text


async def test_a_form_that_is_not_ours_is_refused(browser: AsyncClient) -> None:
    form = await open_form(browser)
    for wrong in ({"form_id": "x"}, {"mark.anna.a": "5"}):
        assert (await browser.post(PAGE, data={**form, **wrong})).status_code == 400


async def test_own_journals_stand_before_those_of_colleagues(browser: AsyncClient) -> None:
    page = (await browser.get(f"/schools/{SCHOOL}/courses")).text.partition("<main")[2]
    assert page.index("Алгебра") < page.index("Журналы коллег") < page.index("Физика") < page.index("Орлов Пётр Ильич")
    assert "Соколова" not in page


async def test_a_title_of_a_journal_without_a_class_ends_with_the_subject(stand_in: StandIn, browser: AsyncClient) -> None:
    stand_in.journal.class_name = ""
    page = await browser.get(f"/schools/{SCHOOL}/courses/{COURSE}")
    assert "<title>Журнал: Алгебра — Дневник</title>" in page.text


@pytest.mark.parametrize(
    ("roles", "told"),
    [([options_pb2.ROLE_SPECIALIST], "Страниц для вашей должности нет"), ([], "Вам не открыт ни один")],
)
async def test_who_has_no_pages_is_told_so(stand_in: StandIn, roles: list[options_pb2.Role.ValueType], told: str) -> None:
    stand_in.access.roles = roles
    stand_in.access.has_child = False
    page = await (await stand_in.signed_in()).get("/")
    assert told in page.text
    assert "обратитесь к ответственному" not in page.text


async def test_the_address_of_a_retraction_leads_back_to_the_lesson(browser: AsyncClient) -> None:
    """A refused one is reloaded, or its address opened the next day."""
    answer = await browser.get(f"{PAGE}/retract?date=2026-11-24")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?date=2026-11-24")
