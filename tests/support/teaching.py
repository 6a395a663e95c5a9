"""A lesson of the demo region, recorded over the gateway's JSON."""

from datetime import date
from typing import Any

from chassis.clock import SystemClock, today
from deploy.local.launcher import Launcher
from tests.support.region import Api, Login, new_id, signed_in


def find_school(me: dict[str, Any]) -> dict[str, Any]:
    """The caller's school: the first in which it is anything."""
    return next(school for school in me["schools"] if school.get("roles") or school.get("students"))


class Lesson:
    """A lesson of the mother's child, as its teacher sees it."""

    def __init__(self, school_id: str, course_id: str, page: dict[str, Any]) -> None:
        self.school_id = school_id
        self.course_id = course_id
        self.page = page
        now = today(SystemClock(), "Europe/Simferopol")
        self.date = min(now, date.fromisoformat(page["period"]["endDate"])).isoformat()
        held = {lesson["lessonNumber"] for lesson in page.get("lessons", []) if lesson["lessonDate"] == self.date}
        self.number = max(set(range(1, 16)) - held)
        self.path = f"/v1/schools/{school_id}/courses/{course_id}"
        self.students = [student["studentId"] for student in page["students"]]
        self.lesson_id = ""

    async def record(self, teacher: Api, request_id: str, **change: object) -> dict[str, Any]:
        body: dict[str, object] = {
            "requestId": request_id,
            "lessonDate": self.date,
            "lessonNumber": self.number,
            "topic": "Преобразование выражений",
            "homework": "№ 214, 216",
            "workTypeId": self.page["workTypes"][0]["workTypeId"],
        }
        lesson: dict[str, Any] = (await teacher.post(f"{self.path}/lessons", **{**body, **change}))["lesson"]
        self.lesson_id = lesson["lessonId"]
        return lesson

    def cell(self, student_id: str, value: int | None, *, seen: int = 0, mark_id: str = "") -> dict[str, Any]:
        cell = {"markId": mark_id or new_id(), "lessonId": self.lesson_id, "studentId": student_id, "expectedRevision": seen}
        return cell if value is None else {**cell, "value": value}


async def find_lesson(region: Launcher, logins: dict[str, Login], *, is_of_own_class: bool = False) -> Lesson:
    """A course of the teacher in which the mother's child learns, one of the own class where asked for."""
    async with signed_in(region, logins["mother"]) as mother, signed_in(region, logins["teacher"]) as teacher:
        children = {child["studentId"] for child in find_school(await mother.get("/v1/me"))["students"]}
        school_id = find_school(await teacher.get("/v1/me"))["schoolId"]
        if is_of_own_class:
            own = (await teacher.get(f"/v1/schools/{school_id}/students", pageSize="500"))["students"]
            children &= {student["studentId"] for student in own}
        courses = (await teacher.get(f"/v1/schools/{school_id}/courses", pageSize="500"))["courses"]
        for course in courses:
            page = await teacher.get(f"/v1/schools/{school_id}/courses/{course['courseId']}/page")
            if page.get("mayRecord") and course.get("isMarked") and children & {s["studentId"] for s in page["students"]}:
                return Lesson(school_id, course["courseId"], page)
    raise AssertionError("the demo has no course of the teacher with a child of the mother")
