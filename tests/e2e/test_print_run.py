"""A week of the demo region on paper: printed over the gateway, read as others read it, handed over (Clause R7)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import httpx
import pytest

from deploy.local.launcher import Launcher
from tests.support.papers import needs_poppler, read_codes, read_texts
from tests.support.region import Api, Login, Refused, new_id, signed_in
from tests.support.teaching import Lesson, find_lesson


@needs_poppler
async def test_a_classs_week_is_printed_and_handed_over(region: Launcher, logins: dict[str, Login]) -> None:
    lesson = await find_lesson(region, logins)
    async with signed_in(region, logins["teacher"]) as teacher:
        class_id, students = await _own_class(teacher, lesson)
        marks = await _record(teacher, lesson, students)
        path, week = f"/v1/schools/{lesson.school_id}/printRuns", _week(lesson.date)
        request = {"requestId": new_id(), "classId": class_id, "week": week}
        run = (await teacher.post(path, **request))["printRun"]
        assert [printout["studentId"] for printout in run["printouts"]] == [student["studentId"] for student in students]
        assert (await teacher.post(path, **request))["printRun"] == run
        pdf = await teacher.get_bytes(f"{path}/{run['printRunId']}:download")
        assert hashlib.sha256(pdf).hexdigest() == run["pdfSha256"]
        _read_sheets(pdf, students, marks)
        _scan_with_a_phone(pdf)
        await _hand_over(teacher, f"{path}/{run['printRunId']}", run)
        [listed, *_] = (await teacher.get(path, class_id=class_id, week=week))["printRuns"]
        assert all(printout["handOver"]["accountId"] for printout in listed["printouts"])
        # Nobody of the class is on paper: the week owes nothing, so that no term is kept or broken.
        assert not {"dueTime", "metTime"} & listed.keys()


async def test_families_and_other_classes_print_nothing(region: Launcher, logins: dict[str, Login]) -> None:
    lesson = await find_lesson(region, logins)
    path = f"/v1/schools/{lesson.school_id}/printRuns"
    async with signed_in(region, logins["teacher"]) as teacher:
        class_id, _ = await _own_class(teacher, lesson)
        body = {"requestId": new_id(), "classId": new_id(), "week": _week(lesson.date)}
        with pytest.raises(Refused) as foreign:
            await teacher.post(path, **body)
        assert (foreign.value.status, foreign.value.reason) == (404, "CLASS_NOT_FOUND")
    async with signed_in(region, logins["mother"]) as mother:
        with pytest.raises(Refused) as family:
            await mother.post(path, **{**body, "classId": class_id})
        assert family.value.status == 403


async def _own_class(teacher: Api, lesson: Lesson) -> tuple[str, list[dict[str, Any]]]:
    """The class whose class teacher the teacher is, with its students by list."""
    found = (await teacher.get(f"/v1/schools/{lesson.school_id}/students", pageSize="500"))["students"]
    class_id = found[0]["classId"]
    return class_id, [student for student in found if student["classId"] == class_id]


async def _record(teacher: Api, lesson: Lesson, students: Sequence[dict[str, Any]]) -> dict[str, int]:
    """A lesson of the week with a topic of its own, and a mark for each second student of the course."""
    await lesson.record(teacher, new_id(), topic="Разложение на множители")
    own = {student["studentId"] for student in students} & set(lesson.students)
    marks = {student_id: 3 + place % 3 for place, student_id in enumerate(sorted(own)) if place % 2}
    cells = [lesson.cell(student_id, value) for student_id, value in marks.items()]
    outcome = await teacher.post(f"{lesson.path}/marks:record", requestId=new_id(), cells=cells)
    assert {cell["state"] for cell in outcome["outcomes"]} == {"CELL_STATE_SAVED"}
    return marks


def _read_sheets(pdf: bytes, students: Sequence[dict[str, Any]], marks: dict[str, int]) -> None:
    """Each student has one sheet, in order, with the own mark of the lesson and no other's."""
    texts = read_texts(pdf)
    sheets = " ".join(" ".join(texts).split()).split("РЕЗУЛЬТАТЫ ОБУЧЕНИЯ")[1:]
    assert len(sheets) == len(students)
    names = [" ".join(student["displayName"].split()) for student in students]
    for sheet, student, name in zip(sheets, students, names, strict=True):
        results = sheet.split("отрежьте и верните")[0]
        assert results.count(name) == 1
        assert not [other for other in names if other != name and other in results]
        told = re.findall(r"(\d) — [^:;—]*: Разложение на множители", results)
        wanted = marks.get(student["studentId"])
        assert told == ([str(wanted)] if wanted else []), name
    register = texts[-1]
    assert "ВЕДОМОСТЬ" in register
    assert "Разложение" not in register


def _scan_with_a_phone(pdf: bytes) -> None:
    """The code of a sheet is a link, and its page knows the sheet and names nobody."""
    link, *_ = read_codes(pdf)
    page = httpx.get(link)
    assert page.status_code == 200
    assert "Еженедельный лист №" in page.text
    assert "неделя" in page.text
    assert "не найден" not in page.text


async def _hand_over(teacher: Api, path: str, run: dict[str, Any]) -> None:
    """All but one with the child; the last, who was not at school, later in person."""
    *most, last = [printout["studentId"] for printout in run["printouts"]]
    records = [{"studentId": one, "channel": "HAND_OVER_CHANNEL_WITH_CHILD", "isReceipted": True} for one in most]
    absent = {"studentId": last, "channel": "HAND_OVER_CHANNEL_NOT_HANDED_OVER", "note": "не был в школе"}
    await teacher.post(f"{path}:recordHandedOver", requestId=new_id(), handOvers=[*records, absent])
    later = {"studentId": last, "channel": "HAND_OVER_CHANNEL_IN_PERSON"}
    answer = await teacher.post(f"{path}:recordHandedOver", requestId=new_id(), handOvers=[later])
    assert answer["printRun"]["printouts"][-1]["handOver"]["channel"] == "HAND_OVER_CHANNEL_IN_PERSON"


def _week(day: str) -> str:
    year, week, _ = date.fromisoformat(day).isocalendar()
    return f"{year}-W{week:02}"
