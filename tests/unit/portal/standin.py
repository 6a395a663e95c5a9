"""A gateway with hand-written answers, and the portal before it, as a browser would ask it."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import grpc
import httpx

from apps.portal import app
from apps.portal.gateway import Gateway
from chassis.clock import Clock, SystemClock
from diary.access.v1 import session_pb2
from diary.access.v1 import session_service_pb2 as access_pb
from diary.access.v1.person_name_pb2 import PersonName
from diary.journal.v1 import course_pb2, diary_week_pb2, lesson_pb2, mark_pb2
from diary.journal.v1 import diary_service_pb2 as diary_pb
from diary.journal.v1 import journal_service_pb2 as journal_pb
from diary.options.v1 import options_pb2
from tests.unit.portal.standin_cases import (
    MOTHER,
    ONE_TIME_CODE,
    Answers,
    Applications,
    Compliance,
    Credentials,
    Preferences,
    Roster,
)
from tests.unit.portal.standin_imports import Imports
from tests.unit.portal.standin_papers import Documents, Grants, Papers, Schools
from tests.worlds.neighbours import RPCS, Call, Neighbours, Refusal

SCHOOL, STUDENT, COURSE, LESSON, CLASSMATE = (f"0198a000-0000-7000-8000-00000000000{number}" for number in range(1, 6))
ANNA = PersonName(family_name="Соколова", given_name="Анна", patronymic="Дмитриевна")
ORIGIN = "http://diary.test"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class Access(Answers):
    """Sessions whose refresh tokens work once, and for another pair as for half a minute; a token of none ends all."""

    service = "diary.access.v1.SessionService"

    def __init__(self, neighbours: Neighbours, clock: Clock) -> None:
        super().__init__(neighbours)
        self._clock = clock
        # Whether methods are open to those alone whom their `requires` names, as in the services.
        self.is_strict = False
        self.live: set[str] = set()
        self.used: set[str] = set()
        self.tokens: set[str] = set()
        self.roles = [options_pb2.ROLE_GUARDIAN, options_pb2.ROLE_TEACHER, options_pb2.ROLE_CLASS_TEACHER]
        self.family_role = options_pb2.ROLE_GUARDIAN
        self.has_totp = False
        self.has_child = True

    def end_all(self) -> None:
        """Ends every session, as when the last access has ended."""
        self.live.clear()
        self.used.clear()
        self.tokens.clear()

    def issue(self) -> session_pb2.SessionTokens:
        number = len(self.tokens)
        tokens = session_pb2.SessionTokens(access_token=f"access{number}", refresh_token=f"refresh{number}")
        tokens.access_expire_time.FromDatetime(self._clock.now() + timedelta(minutes=5))
        tokens.refresh_expire_time.FromDatetime(self._clock.now() + timedelta(days=30))
        self.tokens.add(tokens.access_token)
        self.live.add(tokens.refresh_token)
        return tokens

    def CreateSession(self, request: access_pb.CreateSessionRequest) -> access_pb.CreateSessionResponse:
        if request.login == "blocked":
            retry_time = self._clock.now() + timedelta(minutes=11, seconds=30)
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "SIGN_IN_BLOCKED", retry_time=retry_time.isoformat())
        if request.login == "new":
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "PASSWORD_NOT_SET")
        if request.password != "right":
            raise Refusal(grpc.StatusCode.UNAUTHENTICATED, "SIGN_IN_FAILED")
        if request.login == "head" and request.one_time_code != ONE_TIME_CODE:
            raise Refusal(grpc.StatusCode.UNAUTHENTICATED, "CODE_WRONG" if request.one_time_code else "CODE_MISSING")
        return access_pb.CreateSessionResponse(tokens=self.issue())

    def RefreshSession(self, request: access_pb.RefreshSessionRequest) -> access_pb.RefreshSessionResponse:
        if request.refresh_token not in self.live | self.used:
            self.end_all()
            raise Refusal(grpc.StatusCode.UNAUTHENTICATED, "SESSION_ENDED")
        self.live.discard(request.refresh_token)
        self.used.add(request.refresh_token)
        return access_pb.RefreshSessionResponse(tokens=self.issue())

    def EndSession(self, request: access_pb.EndSessionRequest) -> access_pb.EndSessionResponse:
        self.live.discard(request.refresh_token)
        return access_pb.EndSessionResponse()

    def GetCaller(self, request: access_pb.GetCallerRequest) -> access_pb.GetCallerResponse:
        student = session_pb2.CallerStudent(
            student_id=STUDENT,
            display_name="Соколова Анна Дмитриевна",
            name=ANNA,
            class_name="8-А",
            role=self.family_role,
        )
        school = session_pb2.CallerSchool(
            school_id=SCHOOL,
            school_name="Школа",
            time_zone="Europe/Simferopol",
            person_id=MOTHER,
            display_name="Соколова Мария Викторовна",
            roles=self.roles,
            students=[student] if self.has_child else [],
        )
        return access_pb.GetCallerResponse(login="mother", schools=[school], has_second_factor=self.has_totp)

    def EnrolTotp(self, request: access_pb.EnrolTotpRequest) -> access_pb.EnrolTotpResponse:
        if request.password != "right":
            raise Refusal(grpc.StatusCode.UNAUTHENTICATED, "SIGN_IN_FAILED")
        if self.has_totp:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "TOTP_ENROLLED")
        return access_pb.EnrolTotpResponse(secret=SECRET, link=f"otpauth://totp/Diary:mother?secret={SECRET}&issuer=Diary")

    def ConfirmTotp(self, request: access_pb.ConfirmTotpRequest) -> access_pb.ConfirmTotpResponse:
        if request.one_time_code != ONE_TIME_CODE:
            raise Refusal(grpc.StatusCode.UNAUTHENTICATED, "CODE_WRONG")
        self.has_totp = True
        return access_pb.ConfirmTotpResponse()

    def let_in(self, call: Call) -> None:
        """Asks for a token, as the gateway does, where not everybody may call."""
        allowed = frozenset(RPCS[call.rpc].GetOptions().Extensions[options_pb2.requires].roles)
        if options_pb2.ROLE_PUBLIC in allowed:
            return
        if call.metadata.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            raise Refusal(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
        own = {options_pb2.ROLE_ACCOUNT, *self.roles, *([self.family_role] if self.has_child else [])}
        if self.is_strict and allowed.isdisjoint(own):
            raise Refusal(grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")


class Diary(Answers):
    """One student's week with one lesson, whose texts try to be markup."""

    service = "diary.journal.v1.DiaryService"

    def GetDiaryWeek(self, request: diary_pb.GetDiaryWeekRequest) -> diary_pb.GetDiaryWeekResponse:
        if request.student_id != STUDENT:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "STUDENT_NOT_FOUND")
        card = diary_week_pb2.DiaryLessonCard(
            lesson_date="2026-11-24",
            lesson_number=2,
            subject_name="Алгебра",
            topic="<script>alert(1)</script>",
            homework="№ 412",
        )
        lesson = diary_week_pb2.DiaryLesson(
            card=card, marks=[diary_week_pb2.DiaryMark(value=5, revision=2)], absence=lesson_pb2.ABSENCE_CODE_LATE
        )
        return diary_pb.GetDiaryWeekResponse(
            student_id=STUDENT, week=request.week or "2026-W48", monday_date="2026-11-23", lessons=[lesson]
        )


class Journal(Answers):
    """A course with one student and one held lesson."""

    service = "diary.journal.v1.JournalService"

    def __init__(self, neighbours: Neighbours) -> None:
        super().__init__(neighbours)
        self.outcome = mark_pb2.CELL_STATE_SAVED
        self.is_broken = False
        self.is_closed = False
        self.is_marked = True
        self.class_name = "8-А"
        self.sees_illness = False
        self.lessons = [self.lesson()]
        self.students = [
            lesson_pb2.JournalStudent(student_id=STUDENT, display_name="Соколова Анна Дмитриевна", name=ANNA),
            lesson_pb2.JournalStudent(student_id=CLASSMATE, display_name="Яковлев Пётр Ильич"),
        ]
        self.marks: list[mark_pb2.JournalMark] = []
        self.absences: list[lesson_pb2.JournalAbsence] = []
        # Who is in the class list and was not in the course.
        self.stranger = ""
        # Journals of the caller; one that ListCourses does not name otherwise has gone meanwhile.
        self.own_courses = [COURSE]
        # How often another hand is faster, and what it then records.
        self.faster: list[list[lesson_pb2.JournalAbsence]] = []

    def ListCourses(self, request: Any) -> journal_pb.ListCoursesResponse:
        names = ["Соколова Мария Викторовна"]
        make = course_pb2.Course
        return journal_pb.ListCoursesResponse(
            courses=[
                *(
                    make(course_id=course_id, subject_name="Алгебра", class_name="8-А", is_own=True, teacher_names=names)
                    for course_id in self.own_courses
                ),
                make(course_id=LESSON, subject_name="Физика", class_name="8-А", teacher_names=["Орлов Пётр Ильич"]),
            ]
        )

    def GetJournalPage(self, request: Any) -> journal_pb.GetJournalPageResponse:
        if self.is_broken:
            raise ValueError("broken")
        if request.course_id not in (COURSE, LESSON):
            raise Refusal(grpc.StatusCode.NOT_FOUND, "COURSE_NOT_FOUND")
        period = course_pb2.Period(period_id="p", name="2 четверть", start_date="2026-11-02", end_date="2026-12-29")
        period.is_closed = self.is_closed
        return journal_pb.GetJournalPageResponse(
            course=course_pb2.Course(
                course_id=COURSE, subject_name="Алгебра", class_name=self.class_name, is_marked=self.is_marked
            ),
            period=period,
            periods=[period],
            students=self.students,
            lessons=self.lessons,
            marks=self.marks,
            absences=self.absences,
            may_record=True,
            sees_illness=self.sees_illness,
            mark_min=2,
        )

    def RetractLesson(self, request: Any) -> journal_pb.RetractLessonResponse:
        if not request.reason:
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")
        return journal_pb.RetractLessonResponse()

    def RecordClass(self, request: Any) -> journal_pb.RecordClassResponse:
        if request.lesson_date > "2026-11-24":
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "LESSON_IN_FUTURE")
        if self.stranger:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "STUDENT_NOT_IN_COURSE", student_id=self.stranger)
        if self.faster:
            self.absences = self.faster.pop(0)
            self.lessons[0].attendance_etag += "x"
            raise Refusal(grpc.StatusCode.ABORTED, "ATTENDANCE_CHANGED")
        place = (request.lesson_date, request.lesson_number)
        standing = next((one for one in self.lessons if (one.lesson_date, one.lesson_number) == place), None)
        words = {name: getattr(request, name) for name in ("topic", "homework", "work_type_id")}
        if standing is None or any(getattr(standing, name) != word for name, word in words.items()):
            recorded = self.lesson(lesson_date=place[0], lesson_number=place[1], etag="2", **words)
            self.lessons = [one for one in self.lessons if one.lesson_id != LESSON] + [recorded]
        lesson = next(one for one in self.lessons if (one.lesson_date, one.lesson_number) == place)
        self.absences = [
            lesson_pb2.JournalAbsence(lesson_id=lesson.lesson_id, student_id=one.student_id, code=one.code)
            for one in request.absences
        ]
        outcomes = [
            mark_pb2.MarkCellOutcome(mark_id=cell.mark_id, state=self.outcome, revision=2, value=4) for cell in request.marks
        ]
        return journal_pb.RecordClassResponse(lesson=lesson, outcomes=outcomes)

    def lesson(self, **changes: Any) -> lesson_pb2.Lesson:
        fields: dict[str, Any] = {
            "lesson_id": LESSON,
            "course_id": COURSE,
            "lesson_date": "2026-11-24",
            "lesson_number": 2,
            "state": lesson_pb2.LESSON_STATE_HELD,
            "topic": "Корни",
            "etag": "1",
        }
        return lesson_pb2.Lesson(**fields | changes)


class StandIn:
    """The gateway's stand-in, and a browser at the portal."""

    def __init__(self, neighbours: Neighbours, clock: Clock, url: str) -> None:
        self.neighbours = neighbours
        self.access = Access(neighbours, clock)
        neighbours.door = self.access.let_in
        self.diary = Diary(neighbours)
        self.journal = Journal(neighbours)
        self.applications = Applications(neighbours, STUDENT, self.access.end_all)
        self.credentials = Credentials(neighbours, self.access.issue)
        self.roster = Roster(neighbours, STUDENT)
        self.documents = Documents(neighbours)
        self.papers = Papers(neighbours, STUDENT)
        self.grants = Grants(neighbours)
        self.compliance = Compliance(neighbours)
        self.schools = Schools(neighbours)
        self.imports = Imports(neighbours)
        self.preferences = Preferences(neighbours, STUDENT)
        self.gateway = Gateway(neighbours.address)
        self.application = app.build(self.gateway, clock, url)
        self._transport = httpx.ASGITransport(self.application, raise_app_exceptions=False)

    def browser(self, **headers: str) -> httpx.AsyncClient:
        """A browser on a page of ours, without cookies yet."""
        return httpx.AsyncClient(transport=self._transport, base_url=ORIGIN, headers={"origin": ORIGIN, **headers})

    async def signed_in(self) -> httpx.AsyncClient:
        """A browser that has signed in."""
        browser = self.browser()
        answer = await browser.post("/sign-in", data={"login": "mother", "password": "right"})
        assert answer.status_code == 303
        return browser


@asynccontextmanager
async def portal(clock: Clock | None = None, url: str = ORIGIN) -> AsyncIterator[StandIn]:
    """The portal over a stand-in of the gateway, opened by people at `url`."""
    async with Neighbours().listening() as neighbours:
        stand_in = StandIn(neighbours, clock or SystemClock(), url)
        try:
            yield stand_in
        finally:
            await stand_in.gateway.close()


def fields(page: httpx.Response, action: str) -> dict[str, str]:
    """The fields of the form with that address, as a browser would post them untouched."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}[?"].*?</form>', page.text, re.DOTALL)
    assert form, action
    found = {}
    for field in re.findall(r"<input[^>]*>", form[0]):
        value = re.search(r'value="([^"]*)"', field)
        name = re.search(r'name="([^"]*)"', field)
        if name and (not re.search(r'type="(radio|checkbox)"', field) or "checked" in field):
            found[html.unescape(name[1])] = html.unescape(value[1]) if value else ""
    return found
