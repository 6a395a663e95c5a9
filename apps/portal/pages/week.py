"""«Неделя»: a student's week, for the family, the class teacher and whoever else may read it."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.portal import flash
from apps.portal.asked import path_id
from apps.portal.frame import Frame
from apps.portal.gateway import call
from apps.portal.sessions import Session
from apps.portal.views import dates, people
from apps.portal.views.week import build_week
from chassis.clock import today
from diary.journal.v1 import diary_service_pb2 as pb


class WeekPages:
    """`/schools/{school}/students/{student}/week?week=2026-W48`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.routes = [Route("/schools/{school:uuid}/students/{student:uuid}/week", frame.sessions.page(self._show))]

    async def _show(self, request: Request, session: Session) -> Response:
        school_id, student_id = path_id(request, "school"), path_id(request, "student")
        asked = _asked_week(request)
        wanted = pb.GetDiaryWeekRequest(school_id=school_id, student_id=student_id, week=asked)
        caller, answer = await self._frame.callers.beside(
            session.token,
            call(self._frame.gateway.diary.GetDiaryWeek, wanted, session.token),
        )
        week = build_week(answer, today(self._frame.clock, people.school_zone(caller, school_id)))
        return self._frame.page(
            "week.html",
            request,
            caller,
            welcome=caller.login if flash.read(request) == "welcome" else "",
            children=people.build_children(caller, student_id, f"?week={asked}" if asked else ""),
            student=people.find_student(caller, student_id),
            week=week,
        )


def _asked_week(request: Request) -> str:
    """The week of the address; empty for the present one. 404 for what is no week."""
    week = request.query_params.get("week", "")
    if week:
        try:
            dates.parse_week(week)
        except ValueError as error:
            raise HTTPException(404) from error
    return week
