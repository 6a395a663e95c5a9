"""«Журнал»: the teacher's courses and the page of a course."""

from datetime import date

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.portal import flash, navigation, people
from apps.portal.asked import path_id
from apps.portal.frame import Frame
from apps.portal.gateway import call
from apps.portal.sessions import Session
from apps.portal.teacher.views import journal as views
from chassis.clock import today
from diary.access.v1.session_service_pb2 import GetCallerResponse
from diary.journal.v1 import course_pb2
from diary.journal.v1 import journal_service_pb2 as pb

_COURSE = "/schools/{school:uuid}/courses/{course:uuid}"


class JournalPages:
    """Courses, and a course's page."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        self.routes = [
            Route("/schools/{school:uuid}/courses", page(self._show_courses)),
            Route(_COURSE, page(self._show_journal)),
        ]

    async def _show_courses(self, request: Request, session: Session) -> Response:
        school_id = path_id(request, "school")
        caller, courses = await self._frame.callers.beside(session.token, list_courses(self._frame, school_id, session.token))
        school = next((school for school in caller.schools if school.school_id == school_id), None)
        return self._frame.page(
            "teacher/courses.html",
            request,
            caller,
            title=(school and navigation.journals_title(school)) or "Журналы",
            school_name=school.school_name if school else "",
            # The own ones first; who teaches nothing has one list.
            parts=[
                (title, groups)
                for title, groups in (
                    ("", views.build_courses(courses, is_own=True)),
                    ("Журналы коллег", views.build_courses(courses, is_own=False)),
                )
                if groups
            ],
            url=people.courses_url(school_id),
        )

    async def _show_journal(self, request: Request, session: Session) -> Response:
        wanted = pb.GetJournalPageRequest(
            school_id=path_id(request, "school"),
            course_id=path_id(request, "course"),
            period_id=request.query_params.get("period", ""),
        )
        caller, page = await self._frame.callers.beside(
            session.token, call(self._frame.gateway.journal.GetJournalPage, wanted, session.token)
        )
        journal = views.build_journal(page, self._today(caller, request))
        is_retracted = flash.read(request) == "retracted"
        url = _course_url(request)
        return self._frame.page("teacher/journal.html", request, caller, journal=journal, is_retracted=is_retracted, url=url)

    def _today(self, caller: GetCallerResponse, request: Request) -> date:
        return today(self._frame.clock, people.school_zone(caller, path_id(request, "school")))


async def list_courses(frame: Frame, school_id: str, token: str) -> list[course_pb2.Course]:
    """All courses of a school that the caller teaches or reads."""
    courses: list[course_pb2.Course] = []
    wanted = pb.ListCoursesRequest(school_id=school_id, page_size=500)
    while True:
        answer = await call(frame.gateway.journal.ListCourses, wanted, token)
        courses += answer.courses
        wanted.page_token = answer.next_page_token
        if not wanted.page_token:
            return courses


def _course_url(request: Request) -> str:
    return people.course_url(path_id(request, "school"), path_id(request, "course"))
