"""A list moves one student to another class from today and one from tomorrow: each service holds to the days (decision 0109).

The midnight itself is crossed with a set clock in `test_who_moves_on_a_day_is_of_the_new_class_from_its_midnight` of journal,
`test_who_moves_within_the_week_is_owed_by_the_class_of_its_end_alone` of documents and their like in access and notify.
"""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from chassis.clock import SystemClock, today
from deploy.local.launcher import Launcher
from tests.support.browser import needs_chromium, sign_in
from tests.support.eventually import eventually
from tests.support.families import activate_by_letter, find_letter, register
from tests.support.papers import needs_poppler, read_texts
from tests.support.region import Api, Login, Refused, new_id, signed_in
from tests.support.rosters import open_access, run_command
from tests.support.teaching import Lesson, find_school

pytestmark = [needs_chromium, needs_poppler]

_CASE = Path(__file__).parents[1] / "cases/roster/02-move-to-another-class-before.zip"
CODE = "N02"
# Who moves from today, who from tomorrow, who stays.
NOW, NEXT, STAYS = "Ромашкин Глеб Олегович", "Василькова Анна Ильинична", "Клеверов Пётр Сергеевич"
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Days:
    """Of this run, in the school's zone."""

    today: date

    @property
    def year(self) -> int:
        """In which the school year began."""
        return self.today.year - (self.today.month < 8)

    @property
    def tomorrow_is_of_this_week(self) -> bool:
        return self.today.isoweekday() < 7

    @property
    def week(self) -> str:
        year, week, _ = self.today.isocalendar()
        return f"{year}-W{week:02d}"

    @property
    def week_before(self) -> str:
        year, week, _ = (self.today - 7 * _DAY).isocalendar()
        return f"{year}-W{week:02d}"


@dataclass
class School:
    """The school as its two class teachers see it."""

    former: Api
    new: Api
    logins: dict[str, Login]
    school_id: str
    students: dict[str, str]
    courses: dict[str, str]
    classes: dict[str, str]

    @property
    def path(self) -> str:
        return f"/v1/schools/{self.school_id}"

    async def lesson(self, teacher: Api, class_name: str, day: date) -> Lesson:
        """A lesson of the class's course on a day, recorded."""
        page = await teacher.get(f"{self.path}/courses/{self.courses[class_name]}/page")
        lesson = Lesson(self.school_id, self.courses[class_name], page)
        lesson.date = day.isoformat()
        await lesson.record(teacher, new_id(), topic=f"Тема {class_name} {day}")
        return lesson

    async def mark(self, teacher: Api, lesson: Lesson, name: str) -> str:
        """What becomes of a mark of a student in a lesson."""
        cells = [lesson.cell(self.students[name], 5)]
        answer = await teacher.post(f"{lesson.path}/marks:record", requestId=new_id(), cells=cells)
        return str(answer["outcomes"][0]["state"])

    async def sees(self, teacher: Api, name: str) -> bool:
        """Whether a class teacher reads a student's week."""
        return await _answers(partial(teacher.get, f"{self.path}/students/{self.students[name]}/diary"))

    async def topics(self, reader: Api, name: str, week: str) -> set[str]:
        """Of the lessons of a student's week."""
        diary = await reader.get(f"{self.path}/students/{self.students[name]}/diary", week=week)
        return {lesson["card"]["topic"] for lesson in diary.get("lessons", [])}

    async def prints(self, teacher: Api, class_name: str, week: str) -> set[str]:
        """Who has a sheet when a class teacher prints a week for all of the class."""
        body = {"requestId": new_id(), "classId": self.classes[class_name], "week": week}
        run = (await teacher.post(f"{self.path}/printRuns", **body))["printRun"]
        told = " ".join(read_texts(await teacher.get_bytes(f"{self.path}/printRuns/{run['printRunId']}:download")))
        listed = {name for name, one in self.students.items() if one in {p["studentId"] for p in run["printouts"]}}
        assert {name for name in self.students if name.partition(" ")[0] in told} == listed
        return listed


@pytest.fixture(scope="module")
def days() -> Days:
    return Days(today(SystemClock(), "Europe/Simferopol"))


@pytest.fixture
async def school(region: Launcher, days: Days, tmp_path: Path) -> AsyncIterator[School]:
    """All of 8-А, before the move."""
    await _import(region, tmp_path, days, {})
    logins = {}
    for role, person in (("former", "T1"), ("new", "T2")):
        logins[role] = await open_access(region, CODE, person, "--role", "class_teacher")
    async with AsyncExitStack() as stack:
        former, new = [await stack.enter_async_context(signed_in(region, logins[role])) for role in ("former", "new")]
        school_id = find_school(await former.get("/v1/me"))["schoolId"]
        path = f"/v1/schools/{school_id}"
        listed = (await former.get(f"{path}/students"))["students"]
        assert {student["displayName"] for student in listed} == {NOW, NEXT, STAYS}
        courses = {}
        for teacher, name in (former, "8-А"), (new, "8-Б"):
            [course] = await eventually(partial(_courses, teacher, path), seconds=30, why="the journal's projection")
            courses[name] = course["courseId"]
        classes = {one["name"]: one["classId"] for one in (await former.get(f"{path}/classes"))["classes"]}
        ids = {student["displayName"]: student["studentId"] for student in listed}
        yield School(former, new, logins, school_id, ids, courses, classes)


async def test_a_move_is_of_its_day_in_every_service(
    browser: Browser, region: Launcher, days: Days, school: School, tmp_path: Path
) -> None:
    """Clauses R4, R7, R9."""
    email = f"{new_id()[:8]}@family.example"
    before = await school.lesson(school.former, "8-А", days.today - 7 * _DAY)
    case = await register(school.former, before, school.students[NOW], email)
    await school.former.post(f"{case.path}:grant", requestId=new_id())
    mother, _ = await activate_by_letter(region, case, email)

    await _import(region, tmp_path, days, {"P1": days.today, "P2": days.today + _DAY})
    await eventually(lambda: school.sees(school.new, NOW), seconds=30, why="the move in the journal")

    # The class teacher's sight: today's class, the whole diary with it.
    assert [await school.sees(school.former, name) for name in (NOW, NEXT, STAYS)] == [False, True, True]
    assert [await school.sees(school.new, name) for name in (NOW, NEXT, STAYS)] == [True, False, False]
    assert await _list_names(school.former, school.path) == {NEXT, STAYS}
    assert await _list_names(school.new, school.path) == {NOW}

    # The lists of the journal: a mark is of who is of the course on the lesson's day.
    today_a = await school.lesson(school.former, "8-А", days.today)
    today_b = await school.lesson(school.new, "8-Б", days.today)
    saved, refused = "CELL_STATE_SAVED", "CELL_STATE_REFUSED"
    assert [await school.mark(school.former, today_a, name) for name in (NOW, NEXT, STAYS)] == [refused, saved, saved]
    assert [await school.mark(school.new, today_b, name) for name in (NOW, NEXT, STAYS)] == [saved, refused, refused]
    assert await school.mark(school.former, before, NOW) == saved

    # The week of each: the lessons of the class of their days.
    before_topic, a, b = (f"Тема {name} {day}" for name, day in _taught(days))
    assert await school.topics(mother, NOW, days.week_before) == {before_topic}
    assert await school.topics(mother, NOW, days.week) == {b}
    assert await school.topics(school.former, NEXT, days.week) == {a}

    # Print runs: the week before is of the former class; this week of the class of its end.
    assert await school.prints(school.former, "8-А", days.week_before) == {NOW, NEXT, STAYS}
    moved = {NOW, NEXT} if days.tomorrow_is_of_this_week else {NOW}
    assert await school.prints(school.former, "8-А", days.week) == {NOW, NEXT, STAYS} - moved
    assert await school.prints(school.new, "8-Б", days.week) == moved

    # Letters: the mark of the new class is told, and the new class teacher alone sees what became of the letters.
    await eventually(lambda: find_letter(region, email, "отметк"), seconds=30, why="the letter of the mark")
    assert await eventually(lambda: _letters_about(school.new, school, NOW), seconds=30, why="the letter in the list")
    assert not await _letters_about(school.former, school, NOW)

    # The pages of the portal.
    for role, listed in ("former", {NEXT, STAYS}), ("new", {NOW}):
        page = await sign_in(browser, region, school.logins[role])
        await page.goto(f"{region.region.gateway_url}/schools/{school.school_id}/applications/new")
        told = await page.locator("main").inner_text()
        assert {name for name in (NOW, NEXT, STAYS) if name.rpartition(" ")[0] in told} == listed
    await mother.close()


def _taught(days: Days) -> tuple[tuple[str, date], ...]:
    return ("8-А", days.today - 7 * _DAY), ("8-А", days.today), ("8-Б", days.today)


async def _import(region: Launcher, folder: Path, days: Days, moves: dict[str, date]) -> None:
    """Brings the list of the case, of this school year, in which these students leave 8-А for 8-Б on these days."""
    with zipfile.ZipFile(_CASE) as case:
        files = {name: case.read(name).decode("utf-8-sig") for name in case.namelist()}
    (year,) = [text for name, text in files.items() if name.endswith("academicSessions.csv")]
    first, last = f"{days.year}-09-01", f"{days.year + 1}-05-31"
    year = year.replace("2026-09-01", first).replace("2027-05-31", last).replace("2026/27", f"{days.year}/{days.year + 1}")
    rows = ["sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate"]
    for person in ("P1", "P2", "P3"):
        for of_class in ("H8", "G8"):
            day = moves.get(person)
            end = (day - _DAY).isoformat() if day else ""
            rows.append(f"{person}{of_class}A,,,{of_class}A,N02,{person},student,,{first},{end}")
            if day:
                rows.append(f"{person}{of_class}B,,,{of_class}B,N02,{person},student,,{day},")
    rows += [f"{t}{c},,,{c},N02,{t},teacher,,," for t, c in (("T1", "H8A"), ("T1", "G8A"), ("T2", "H8B"), ("T2", "G8B"))]
    path = folder / "roster.zip"
    with zipfile.ZipFile(path, "w") as bundle:
        for name, text in files.items():
            changed = {"academicSessions.csv": year, "enrollments.csv": "\n".join(rows) + "\n"}
            bundle.writestr(name, changed.get(name.rpartition("/")[2], text))
    order = ("--enrolment-order-number", "12-у", "--enrolment-order-date", f"{days.year}-08-31")
    await run_command(region, "import-roster", str(path), "--school", CODE, *order)


async def _courses(teacher: Api, path: str) -> list[dict[str, Any]]:
    """The own courses, when the journal knows the school and its list."""
    try:
        found: list[dict[str, Any]] = (await teacher.get(f"{path}/courses")).get("courses", [])
    except Refused:
        return []
    return [course for course in found if course.get("isOwn")]


async def _list_names(teacher: Api, path: str) -> set[str]:
    return {student["displayName"] for student in (await teacher.get(f"{path}/students")).get("students", [])}


async def _letters_about(teacher: Api, school: School, name: str) -> list[dict[str, Any]]:
    found = (await teacher.get(f"{school.path}/deliveries")).get("deliveries", [])
    return [one for one in found if one.get("studentId") == school.students[name]]


async def _answers(call: Any) -> bool:
    try:
        await call()
    except Refused:
        return False
    return True
