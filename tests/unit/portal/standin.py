"""A gateway with hand-written answers, and the portal before it, as a browser would ask it."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import grpc
import httpx
from google.protobuf import descriptor_pool
from google.rpc import code_pb2

from apps.portal import app
from apps.portal.gateway import Gateway
from chassis.clock import Clock, SystemClock
from diary.access.v1 import (
    application_service_pb2_grpc,
    compliance_service_pb2_grpc,
    credential_service_pb2_grpc,
    grant_service_pb2_grpc,
    paper_service_pb2_grpc,
    roster_import_service_pb2_grpc,
    roster_service_pb2_grpc,
    school_service_pb2_grpc,
    session_pb2,
    session_service_pb2_grpc,
)
from diary.access.v1 import session_service_pb2 as access_pb
from diary.access.v1.person_name_pb2 import PersonName
from diary.documents.v1 import document_service_pb2_grpc
from diary.journal.v1 import course_pb2, diary_service_pb2_grpc, diary_week_pb2, journal_service_pb2_grpc, lesson_pb2, mark_pb2
from diary.journal.v1 import diary_service_pb2 as diary_pb
from diary.journal.v1 import journal_service_pb2 as journal_pb
from diary.notify.v1 import preference_service_pb2_grpc
from diary.options.v1 import options_pb2
from tests.unit.portal.standin_cases import (
    MOTHER,
    ONE_TIME_CODE,
    Applications,
    Compliance,
    Credentials,
    Preferences,
    Roster,
    refuse,
)
from tests.unit.portal.standin_imports import Imports
from tests.unit.portal.standin_papers import Documents, Grants, Papers, Schools

SCHOOL, STUDENT, COURSE, LESSON, CLASSMATE = (f"0198a000-0000-7000-8000-00000000000{number}" for number in range(1, 6))
ANNA = PersonName(family_name="Соколова", given_name="Анна", patronymic="Дмитриевна")
ORIGIN = "http://diary.test"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class Access(session_service_pb2_grpc.SessionServiceServicer):
    """Sessions whose refresh tokens work once, and for another pair as for half a minute; a token of none ends all."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.refreshes = 0
        self.live: set[str] = set()
        self.used: set[str] = set()
        self.tokens: set[str] = set()
        self.roles = [options_pb2.ROLE_GUARDIAN, options_pb2.ROLE_TEACHER, options_pb2.ROLE_CLASS_TEACHER]
        self.asked = 0
        self.family_role = options_pb2.ROLE_GUARDIAN
        self.has_totp = False
        self.has_child = True
        self.addresses: list[str] = []
        self.request_ids: list[str] = []

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

    async def CreateSession(self, request: access_pb.CreateSessionRequest, context: Any) -> access_pb.CreateSessionResponse:
        if request.login == "blocked":
            retry_time = self._clock.now() + timedelta(minutes=11, seconds=30)
            await refuse(context, code_pb2.RESOURCE_EXHAUSTED, "SIGN_IN_BLOCKED", retry_time=retry_time.isoformat())
        if request.login == "new":
            await refuse(context, code_pb2.FAILED_PRECONDITION, "PASSWORD_NOT_SET")
        self.addresses.append(str(dict(context.invocation_metadata()).get("x-forwarded-for", "")))
        if request.password != "right":
            await refuse(context, code_pb2.UNAUTHENTICATED, "SIGN_IN_FAILED")
        if request.login == "head" and request.one_time_code != ONE_TIME_CODE:
            await refuse(context, code_pb2.UNAUTHENTICATED, "CODE_WRONG" if request.one_time_code else "CODE_MISSING")
        return access_pb.CreateSessionResponse(tokens=self.issue())

    async def RefreshSession(self, request: access_pb.RefreshSessionRequest, context: Any) -> access_pb.RefreshSessionResponse:
        self.refreshes += 1
        if request.refresh_token not in self.live | self.used:
            self.end_all()
            await refuse(context, code_pb2.UNAUTHENTICATED, "SESSION_ENDED")
        self.live.discard(request.refresh_token)
        self.used.add(request.refresh_token)
        return access_pb.RefreshSessionResponse(tokens=self.issue())

    async def EndSession(self, request: access_pb.EndSessionRequest, context: Any) -> access_pb.EndSessionResponse:
        self.live.discard(request.refresh_token)
        return access_pb.EndSessionResponse()

    async def GetCaller(self, request: access_pb.GetCallerRequest, context: Any) -> access_pb.GetCallerResponse:
        self.asked += 1
        await self.check(context)
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

    async def EnrolTotp(self, request: access_pb.EnrolTotpRequest, context: Any) -> access_pb.EnrolTotpResponse:
        await self.check(context)
        if request.password != "right":
            await refuse(context, code_pb2.UNAUTHENTICATED, "SIGN_IN_FAILED")
        if self.has_totp:
            await refuse(context, code_pb2.FAILED_PRECONDITION, "TOTP_ENROLLED")
        return access_pb.EnrolTotpResponse(secret=SECRET, link=f"otpauth://totp/Diary:mother?secret={SECRET}&issuer=Diary")

    async def ConfirmTotp(self, request: access_pb.ConfirmTotpRequest, context: Any) -> access_pb.ConfirmTotpResponse:
        await self.check(context)
        if request.one_time_code != ONE_TIME_CODE:
            await refuse(context, code_pb2.UNAUTHENTICATED, "CODE_WRONG")
        self.has_totp = True
        return access_pb.ConfirmTotpResponse()

    async def check(self, context: Any) -> None:
        headers = dict(context.invocation_metadata())
        self.request_ids.append(str(headers.get("x-request-id", "")))
        sent = headers.get("authorization", "").removeprefix("Bearer ")
        if sent not in self.tokens:
            await refuse(context, code_pb2.UNAUTHENTICATED, "TOKEN_INVALID")


class Doorman(grpc.aio.ServerInterceptor):
    """When `is_strict`, lets nobody call what a method's `requires` does not open to the caller, as the services do."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self.is_strict = False
        self.asked: list[str] = []

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        handler = await continuation(details)
        service, _, method = details.method.removeprefix("/").partition("/")
        self.asked.append(method)
        found = descriptor_pool.Default().FindServiceByName(service).methods_by_name[method]
        allowed = frozenset(found.GetOptions().Extensions[options_pb2.requires].roles)
        own = {options_pb2.ROLE_PUBLIC, options_pb2.ROLE_ACCOUNT, *self._access.roles}
        if self._access.has_child:
            own.add(self._access.family_role)
        if not self.is_strict or not allowed.isdisjoint(own):
            return handler

        async def turn_away(request: Any, context: Any) -> None:
            await refuse(context, code_pb2.PERMISSION_DENIED, "ROLE_MISSING")

        return grpc.unary_unary_rpc_method_handler(
            turn_away, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer
        )


class Diary(diary_service_pb2_grpc.DiaryServiceServicer):
    """One student's week with one lesson, whose texts try to be markup."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def GetDiaryWeek(self, request: diary_pb.GetDiaryWeekRequest, context: Any) -> diary_pb.GetDiaryWeekResponse:
        await self._access.check(context)
        if request.student_id != STUDENT:
            await refuse(context, code_pb2.NOT_FOUND, "STUDENT_NOT_FOUND")
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


class Journal(journal_service_pb2_grpc.JournalServiceServicer):
    """A course with one student and one held lesson; keeps the requests it was sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
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
        # How often another hand is faster, and what it then records.
        self.faster: list[list[lesson_pb2.JournalAbsence]] = []

    async def ListCourses(self, request: Any, context: Any) -> journal_pb.ListCoursesResponse:
        names = ["Соколова Мария Викторовна"]
        make = course_pb2.Course
        return journal_pb.ListCoursesResponse(
            courses=[
                make(course_id=COURSE, subject_name="Алгебра", class_name="8-А", is_own=True, teacher_names=names),
                make(course_id=LESSON, subject_name="Физика", class_name="8-А", teacher_names=["Орлов Пётр Ильич"]),
            ]
        )

    async def GetJournalPage(self, request: Any, context: Any) -> journal_pb.GetJournalPageResponse:
        if self.is_broken:
            raise ValueError("broken")
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

    async def RetractLesson(self, request: Any, context: Any) -> journal_pb.RetractLessonResponse:
        self.sent.append(request)
        if not request.reason:
            await refuse(context, code_pb2.INVALID_ARGUMENT, "REQUEST_INVALID")
        return journal_pb.RetractLessonResponse()

    async def RecordClass(self, request: Any, context: Any) -> journal_pb.RecordClassResponse:
        self.sent.append(request)
        if request.lesson_date > "2026-11-24":
            await refuse(context, code_pb2.FAILED_PRECONDITION, "LESSON_IN_FUTURE")
        if self.stranger:
            await refuse(context, code_pb2.FAILED_PRECONDITION, "STUDENT_NOT_IN_COURSE", student_id=self.stranger)
        if self.faster:
            self.absences = self.faster.pop(0)
            self.lessons[0].attendance_etag += "x"
            await refuse(context, code_pb2.ABORTED, "ATTENDANCE_CHANGED")
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

    def __init__(self, clock: Clock, url: str) -> None:
        self.access = Access(clock)
        # The methods that the portal does not call stay unimplemented.
        self.journal: Journal = cast("Any", Journal)()
        self.applications: Applications = cast("Any", Applications)(STUDENT, self.access.end_all)
        self.credentials: Credentials = cast("Any", Credentials)(self.access.issue)
        self.roster: Roster = cast("Any", Roster)(STUDENT)
        self.documents: Documents = cast("Any", Documents)()
        self.papers: Papers = cast("Any", Papers)(STUDENT)
        self.grants: Grants = cast("Any", Grants)()
        self.compliance: Compliance = cast("Any", Compliance)()
        self.schools: Schools = cast("Any", Schools)()
        self.imports: Imports = cast("Any", Imports)()
        self.preferences: Preferences = cast("Any", Preferences)(STUDENT)
        self.doorman = Doorman(self.access)
        self.server = grpc.aio.server(interceptors=[self.doorman])
        session_service_pb2_grpc.add_SessionServiceServicer_to_server(self.access, self.server)
        diary_service_pb2_grpc.add_DiaryServiceServicer_to_server(cast("Any", Diary)(self.access), self.server)
        journal_service_pb2_grpc.add_JournalServiceServicer_to_server(self.journal, self.server)
        application_service_pb2_grpc.add_ApplicationServiceServicer_to_server(self.applications, self.server)
        credential_service_pb2_grpc.add_CredentialServiceServicer_to_server(self.credentials, self.server)
        roster_service_pb2_grpc.add_RosterServiceServicer_to_server(self.roster, self.server)
        document_service_pb2_grpc.add_DocumentServiceServicer_to_server(self.documents, self.server)
        paper_service_pb2_grpc.add_PaperServiceServicer_to_server(self.papers, self.server)
        grant_service_pb2_grpc.add_GrantServiceServicer_to_server(self.grants, self.server)
        compliance_service_pb2_grpc.add_ComplianceServiceServicer_to_server(self.compliance, self.server)
        school_service_pb2_grpc.add_SchoolServiceServicer_to_server(self.schools, self.server)
        roster_import_service_pb2_grpc.add_RosterImportServiceServicer_to_server(self.imports, self.server)
        preference_service_pb2_grpc.add_PreferenceServiceServicer_to_server(self.preferences, self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.gateway = Gateway(f"127.0.0.1:{self.port}")
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
    stand_in = StandIn(clock or SystemClock(), url)
    await stand_in.server.start()
    try:
        yield stand_in
    finally:
        await stand_in.gateway.close()
        await stand_in.server.stop(None)


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
