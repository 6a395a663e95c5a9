"""A teacher records marks, a parent sees the week, an ended access is refused: over the gateway's JSON on the demo region."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.local.launcher import Launcher
from services.access.cases.actions.calendars import read_calendar
from tests.support.region import Api, Login, Refused, new_id, signed_in
from tests.support.teaching import Lesson, find_lesson, find_school


async def _refused(call: Any) -> tuple[int, str]:
    with pytest.raises(Refused) as found:
        await call
    return found.value.status, found.value.reason


@pytest.fixture
async def lesson(region: Launcher, logins: dict[str, Login]) -> Lesson:
    """A course of the teacher in which the mother's child learns."""
    return await find_lesson(region, logins)


async def test_a_class_is_recorded_in_one_call_each_and_a_repeat_changes_nothing(
    region: Launcher, logins: dict[str, Login], lesson: Lesson
) -> None:
    """Clause R4: what is recorded is visible; the request_id makes a repeat harmless."""
    async with signed_in(region, logins["teacher"]) as teacher:
        request_id = new_id()
        first = await lesson.record(teacher, request_id)
        assert await lesson.record(teacher, request_id) == first

        marks = {"requestId": new_id(), "cells": [lesson.cell(student, 4) for student in lesson.students[1:]]}
        saved = await teacher.post(f"{lesson.path}/marks:record", **marks)
        assert {outcome["state"] for outcome in saved["outcomes"]} == {"CELL_STATE_SAVED"}
        assert await teacher.post(f"{lesson.path}/marks:record", **marks) == saved

        absent = {
            "requestId": new_id(),
            "lessonId": lesson.lesson_id,
            "absences": [{"studentId": lesson.students[0], "code": "ABSENCE_CODE_ABSENT"}],
        }
        attended = await teacher.post(f"{lesson.path}/attendance:record", **absent)
        assert await teacher.post(f"{lesson.path}/attendance:record", **absent) == attended

        page = await teacher.get(f"{lesson.path}/page", periodId=lesson.page["period"]["periodId"])
        of_lesson = [mark for mark in page["marks"] if mark["lessonId"] == lesson.lesson_id]
        assert sorted(mark["studentId"] for mark in of_lesson) == sorted(lesson.students[1:])
        assert all(mark["revision"] == 1 for mark in of_lesson)


async def test_a_cell_that_two_hands_edit_answers_conflict_with_the_current_value(
    region: Launcher, logins: dict[str, Login], lesson: Lesson
) -> None:
    async with signed_in(region, logins["teacher"]) as one, signed_in(region, logins["teacher"]) as other:
        await lesson.record(one, new_id())
        student, mark_id = lesson.students[0], new_id()
        path = f"{lesson.path}/marks:record"
        await one.post(path, requestId=new_id(), cells=[lesson.cell(student, 3, mark_id=mark_id)])
        await one.post(path, requestId=new_id(), cells=[lesson.cell(student, 4, mark_id=mark_id, seen=1)])
        late = await other.post(path, requestId=new_id(), cells=[lesson.cell(student, 5, mark_id=mark_id, seen=1)])
        assert late["outcomes"] == [
            {"markId": mark_id, "state": "CELL_STATE_CONFLICT", "revision": 2, "value": 4, "isOwn": True}
        ]


async def test_a_mother_sees_a_recorded_mark_at_once_and_switches_between_her_children(
    region: Launcher, logins: dict[str, Login], lesson: Lesson
) -> None:
    """Clause R4."""
    async with signed_in(region, logins["teacher"]) as teacher, signed_in(region, logins["mother"]) as mother:
        children = [child["studentId"] for child in find_school(await mother.get("/v1/me"))["students"]]
        assert len(children) >= 2
        child = next(child for child in children if child in lesson.students)
        await lesson.record(teacher, new_id())
        mark = lesson.cell(child, 5)
        await teacher.post(f"{lesson.path}/marks:record", requestId=new_id(), cells=[mark])
        year, week, _ = date.fromisoformat(lesson.date).isocalendar()
        for each in children:
            diary = await mother.get(f"/v1/schools/{lesson.school_id}/students/{each}/diary", week=f"{year}-W{week:02d}")
            assert diary["studentId"] == each
            seen = [found["markId"] for entry in diary["lessons"] for found in entry.get("marks", [])]
            assert (mark["markId"] in seen) == (each == child)


async def test_what_is_not_hers_answers_as_if_absent(region: Launcher, logins: dict[str, Login], lesson: Lesson) -> None:
    async with signed_in(region, logins["mother"]) as mother, signed_in(region, logins["teacher"]) as teacher:
        me = find_school(await mother.get("/v1/me"))
        hers = {child["studentId"] for child in me["students"]}
        other = next(student for student in lesson.students if student not in hers)
        schools = (await mother.get("/v1/schools"))["schools"]
        elsewhere = next(school["schoolId"] for school in schools if school["schoolId"] != lesson.school_id)
        answers = [
            await _body(mother.get(f"/v1/schools/{school}/students/{student}/diary"))
            for school, student in (
                (lesson.school_id, other),
                (lesson.school_id, new_id()),
                (elsewhere, next(iter(hers))),
                (new_id(), next(iter(hers))),
            )
        ]
        assert answers[0][0] == 404
        assert all(answer == answers[0] for answer in answers)
        assert await _refused(teacher.get(f"/v1/schools/{elsewhere}/courses/{lesson.course_id}/page")) == (
            404,
            "COURSE_NOT_FOUND",
        )


async def _body(call: Any) -> tuple[int, str, str]:
    with pytest.raises(Refused) as found:
        await call
    return found.value.status, found.value.reason, found.value.message


async def test_signing_out_ends_the_session_everywhere(region: Launcher, logins: dict[str, Login]) -> None:
    async with signed_in(region, logins["student"]) as student:
        me = find_school(await student.get("/v1/me"))
        diary = f"/v1/schools/{me['schoolId']}/students/{me['students'][0]['studentId']}/diary"
        await student.get(diary)
        await student.post("/v1/sessions:end", refreshToken=student.refresh_token)
        status, _ = await _refused(student.get(diary))
        assert status in (401, 404)
        assert (await _refused(student.get("/v1/me")))[0] == 401


def test_terms_of_the_demo_are_counted_with_the_days_of_the_region_its_schools_lie_in(region: Launcher) -> None:
    """Clause R15: access is started with them."""
    calendar = read_calendar(Path(region.region.environment("access")["DIARY_ACCESS_REGION_CALENDAR"]))
    reunion = calendar.status(date(2027, 3, 18))
    assert (reunion.is_working, reunion.layer) == (False, "region")
    assert calendar.status(date(2027, 3, 19)).is_working


async def test_bad_input_is_told_where_and_what(region: Launcher, logins: dict[str, Login], lesson: Lesson) -> None:
    async with signed_in(region, logins["teacher"]) as teacher, signed_in(region, logins["mother"]) as mother:
        await lesson.record(teacher, new_id())
        seven = await teacher.post(
            f"{lesson.path}/marks:record", requestId=new_id(), cells=[lesson.cell(lesson.students[0], 7)]
        )
        assert [(o["state"], o["reason"]) for o in seven["outcomes"]] == [("CELL_STATE_REFUSED", "MARK_NOT_IN_SCALE")]
        assert await _refused(lesson.record(teacher, new_id(), lessonDate="2099-01-15")) == (400, "LESSON_IN_FUTURE")
        assert await _refused(lesson.record(teacher, new_id(), lessonDate="2026-02-30")) == (400, "DATE_INVALID")
        assert await _refused(lesson.record(teacher, new_id(), topic="")) == (400, "REQUEST_INVALID")
        assert await _refused(lesson.record(mother, new_id())) == (403, "ROLE_NOT_ALLOWED")
        nobody = Api(region.region.gateway_url)
        assert (await _refused(nobody.get("/v1/me")))[0] == 401
        nobody.bear("eyJhbGciOiJub25lIn0.e30.")
        assert (await _refused(nobody.get("/v1/me")))[0] == 401
        assert await _refused(nobody.sign_in("no.such", "password")) == (401, "SIGN_IN_FAILED")
        await nobody.close()
