"""`/`: where an account begins. A family at the week; who works in a school at what is due."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import grpc
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from apps.portal import dates, flash, navigation, people, roles
from apps.portal.class_teacher.views import list_own_classes
from apps.portal.family.pages.own_cases import list_own_grants
from apps.portal.family.views.own_filings import EndedAccess, find_ended
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.head.views.deadlines import OWED
from apps.portal.home import views
from apps.portal.office.pages.students import list_students
from apps.portal.sessions import Session
from apps.portal.teacher.pages.journal import list_courses
from chassis.clock import today
from diary.access.v1 import application_pb2, session_pb2
from diary.access.v1 import application_service_pb2 as access_pb
from diary.access.v1 import compliance_service_pb2 as compliance_pb
from diary.access.v1 import session_service_pb2 as pb
from diary.documents.v1 import print_run_pb2
from diary.journal.v1 import course_pb2
from diary.journal.v1 import journal_service_pb2 as journal_pb

# Lines of a part; the rest stands behind its link.
_LINES = 5
# Journals of one teacher are asked for this many at once.
_AT_ONCE = 6
# One part that does not open leaves the others.
_AWAY = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        # The token learns of a new post within minutes.
        grpc.StatusCode.PERMISSION_DENIED,
        # The session was asked for a moment ago, so what is not found is a journal or a class that went meanwhile.
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)

_Build = Callable[[Session, session_pb2.CallerSchool], Awaitable[views.Part | None]]


class HomePages:
    """What is due, by the methods that the caller's posts may call; each part is asked for beside the others."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.routes = [Route("/", frame.sessions.page(self._begin))]
        self._parts: tuple[tuple[str, _Build], ...] = (
            (roles.RECORD, self._lessons),
            (roles.SIGN, self._refusals),
            (roles.REGISTER, self._applications),
            (roles.PRINT, self._printouts),
            (roles.LIST_DEADLINES, self._deadlines),
        )

    async def _begin(self, request: Request, session: Session) -> Response:
        caller = await self._frame.callers.ask(session.token)
        url = navigation.begin_url(caller)
        if url == navigation.HOME_URL:
            return await self._show_due(request, session, caller)
        if url:
            return RedirectResponse(url, status_code=303)
        ended = [one for school in caller.schools for one in await self._list_ended(session, school)]
        is_staff = any(school.roles for school in caller.schools)
        links = [(school.school_name, people.own_cases_url(school.school_id)) for school in caller.schools]
        if ended:
            return self._frame.page("family/access_ended.html", request, caller, ended=ended)
        return self._frame.page("home/nothing_yet.html", request, caller, is_staff=is_staff, links=links)

    async def _list_ended(self, session: Session, school: session_pb2.CallerSchool) -> tuple[EndedAccess, ...]:
        """The accesses in a school that the caller's own statements have ended."""
        grants = await list_own_grants(self._frame, session, school.school_id)
        return find_ended(school.school_id, grants, school.time_zone)

    async def _show_due(self, request: Request, session: Session, caller: pb.GetCallerResponse) -> Response:
        places = [
            (school, [build for method, build in self._parts if roles.may_at(school, method)]) for school in caller.schools
        ]
        asked = [self._find(session, school, build) for school, builds in places for build in builds]
        parts = iter(await asyncio.gather(*asked))
        found = [(school.school_name, [next(parts) for _ in builds]) for school, builds in places]
        schools = [(name, [part for part in shown if part]) for name, shown in found]
        children = people.build_children(caller, "", "")
        welcome = caller.login if flash.read(request) == "welcome" else ""
        return self._frame.page("home/home.html", request, caller, schools=schools, children=children, welcome=welcome)

    async def _find(self, session: Session, school: session_pb2.CallerSchool, build: _Build) -> views.Part | None:
        """A part of the page, or that it does not open now; None for one that is not of this caller."""
        try:
            return await build(session, school)
        except GatewayError as error:
            if error.code not in _AWAY:
                raise
            return views.AWAY

    async def _lessons(self, session: Session, school: session_pb2.CallerSchool) -> views.Part:
        """Lessons of the own timetable that wait to be recorded: a page of each journal, since no method tells of all."""
        courses = [one for one in await list_courses(self._frame, school.school_id, session.token) if one.is_own]
        slots = asyncio.Semaphore(_AT_ONCE)

        async def read(course: course_pb2.Course) -> journal_pb.GetJournalPageResponse | None:
            wanted = journal_pb.GetJournalPageRequest(school_id=school.school_id, course_id=course.course_id)
            async with slots:
                try:
                    return await call(self._frame.gateway.journal.GetJournalPage, wanted, session.token)
                except GatewayError as error:
                    if error.code != grpc.StatusCode.NOT_FOUND:
                        raise
                    return None  # It went meanwhile, or its year has no periods yet.

        pages = filter(None, await asyncio.gather(*(read(course) for course in courses)))
        return views.build_lessons(school.school_id, pages, today(self._frame.clock, school.time_zone))

    async def _refusals(self, session: Session, school: session_pb2.CallerSchool) -> views.Part:
        answer = await self._list_cases(session, school, application_pb2.APPLICATION_STATE_REFUSAL_PROPOSED)
        return views.build_refusals(school.school_id, answer.applications, is_more=bool(answer.next_page_token))

    async def _applications(self, session: Session, school: session_pb2.CallerSchool) -> views.Part:
        answer = await self._list_cases(session, school, application_pb2.APPLICATION_STATE_REGISTERED)
        now, is_more = self._frame.clock.now(), bool(answer.next_page_token)
        return views.build_applications(school.school_id, answer.applications, school.time_zone, now, is_more=is_more)

    async def _list_cases(
        self, session: Session, school: session_pb2.CallerSchool, state: application_pb2.ApplicationState.ValueType
    ) -> access_pb.ListApplicationsResponse:
        wanted = access_pb.ListApplicationsRequest(school_id=school.school_id, state=state, page_size=_LINES)
        return await call(self._frame.gateway.applications.ListApplications, wanted, session.token)

    async def _printouts(self, session: Session, school: session_pb2.CallerSchool) -> views.Part | None:
        """Sheets of the last whole week of a class teacher's classes; who registers for all classes has them in the menu."""
        if roles.is_of_whole_school(school):
            return None
        week = dates.week_of(today(self._frame.clock, school.time_zone) - timedelta(weeks=1))
        students = await list_students(self._frame, school.school_id, "", session.token)
        classes = list_own_classes([(one.class_id, one.class_name) for one in students])
        runs = await asyncio.gather(*(self._list_runs(session, school.school_id, class_id, week) for class_id in classes))
        now = self._frame.clock.now().timestamp()
        return views.build_printouts(
            school.school_id, list(zip(classes.items(), runs, strict=True)), week, school.time_zone, now
        )

    async def _list_runs(self, session: Session, school_id: str, class_id: str, week: str) -> Sequence[print_run_pb2.PrintRun]:
        wanted = print_run_pb2.ListPrintRunsRequest(school_id=school_id, class_id=class_id, week=week, page_size=50)
        return (await call(self._frame.gateway.documents.ListPrintRuns, wanted, session.token)).print_runs

    async def _deadlines(self, session: Session, school: session_pb2.CallerSchool) -> views.Part:
        """The terms of what the school owes: of ends that come by themselves there may be a class at once."""
        answers = await asyncio.gather(
            *(
                call(
                    self._frame.gateway.compliance.ListDeadlines,
                    compliance_pb.ListDeadlinesRequest(
                        school_id=school.school_id, is_open_only=True, clause=clause, page_size=_LINES + 1
                    ),
                    session.token,
                )
                for clause in OWED
            )
        )
        found = [one for answer in answers for one in answer.deadlines]
        return views.build_deadlines(school.school_id, found, school.time_zone, _LINES)
