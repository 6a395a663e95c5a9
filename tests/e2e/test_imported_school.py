"""The main flow on a school that nobody here made: the OneRoster bundle of others, its teacher, its class, a student of it."""

import shutil
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from deploy.local.launcher import Launcher
from tests.support.eventually import eventually
from tests.support.region import Api, Refused, new_id, signed_in
from tests.support.rosters import open_access, run_command
from tests.support.teaching import Lesson, find_school

_BUNDLE = Path(__file__).parents[3] / "shared/data/oneroster/edfi_1.1"
pytestmark = pytest.mark.skipif(not _BUNDLE.is_dir(), reason=f"the bundle of others lies in {_BUNDLE}, beside the project")

CODE = "255901001"
ADMIN, TEACHER, STUDENT = "207268", "207270", "604863"
# The bundle is of 2020/21; read as the school year of today.
YEAR = "2026"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder as a ZIP."""
    return shutil.make_archive(str(tmp_path_factory.mktemp("oneroster") / "bundle"), "zip", _BUNDLE)


async def test_an_imported_schools_teacher_records_and_its_student_sees_the_week(region: Launcher, bundle: str) -> None:
    order = ("--enrolment-order-number", "12-у", "--enrolment-order-date", "2026-08-31")
    options = ("import-roster", bundle, "--school", CODE, "--move-to-year", YEAR, *order)
    assert "ученики: новых " in await run_command(region, *options)
    again = await run_command(region, *options)
    counted = [line for line in again.splitlines() if not line.startswith("внимание: ")]
    assert all("новых 0, изменено 0" in line for line in counted), again

    # Clause R9: an access needs one who may grant it.
    await open_access(region, CODE, ADMIN, "--role", "admin", "--order-number", "1", "--order-date", "2026-09-01")
    teacher_login = await open_access(region, CODE, TEACHER)
    paper = ("--application-number", "7", "--application-date", "2026-09-01")
    student_login = await open_access(region, CODE, STUDENT, *paper)
    async with signed_in(region, teacher_login) as teacher, signed_in(region, student_login) as student:
        me = find_school(await student.get("/v1/me"))
        lesson = await eventually(lambda: _find_lesson(teacher, me["schoolId"]), seconds=20, why="the journal's projection")
        assert me["students"][0]["studentId"] in lesson.students
        path = f"/v1/schools/{me['schoolId']}/students/{me['students'][0]['studentId']}/diary"
        # The student's access comes by an event of its own.
        await eventually(partial(_answers, student, path), seconds=20, why="the student's access in the journal")
        await lesson.record(teacher, new_id())
        mark = lesson.cell(me["students"][0]["studentId"], 5)
        saved = await teacher.post(f"{lesson.path}/marks:record", requestId=new_id(), cells=[mark])
        assert saved["outcomes"][0]["state"] == "CELL_STATE_SAVED"
        year, week, _ = date.fromisoformat(lesson.date).isocalendar()
        diary = await student.get(path, week=f"{year}-W{week:02d}")
        assert [m["markId"] for entry in diary["lessons"] for m in entry.get("marks", [])] == [mark["markId"]]
        # Another student of the class is not the student's to see.
        other = next(s for s in lesson.students if s != me["students"][0]["studentId"])
        with pytest.raises(Refused) as refused:
            await student.get(f"/v1/schools/{me['schoolId']}/students/{other}/diary")
        assert (refused.value.status, refused.value.reason) == (404, "STUDENT_NOT_FOUND")


async def _answers(student: Api, path: str) -> bool:
    try:
        await student.get(path)
    except Refused:
        return False
    return True


async def _find_lesson(teacher: Api, school_id: str) -> Lesson | None:
    try:
        courses = (await teacher.get(f"/v1/schools/{school_id}/courses")).get("courses", [])
        for course in courses:
            page = await teacher.get(f"/v1/schools/{school_id}/courses/{course['courseId']}/page")
            if page.get("mayRecord") and page.get("students"):
                return Lesson(school_id, course["courseId"], page)
    except Refused as refused:
        # The roster comes by events; until then the school is not known to the journal.
        if refused.status != 404:
            raise
    return None
