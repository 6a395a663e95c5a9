"""«Неделя»: a student's week, for the family, the class teacher and whoever else may read it."""

import grpc
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.portal import dates, flash, people
from apps.portal.asked import path_id
from apps.portal.family.pages.own_cases import list_own_grants
from apps.portal.family.views.own_filings import find_ended
from apps.portal.family.views.week import build_week
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.sessions import Session
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
        try:
            caller, answer = await self._frame.callers.beside(
                session.token,
                call(self._frame.gateway.diary.GetDiaryWeek, wanted, session.token),
            )
        except GatewayError as error:
            if error.code != grpc.StatusCode.NOT_FOUND:
                raise
            return await self._tell_ended(request, session, error)
        day = today(self._frame.clock, people.school_zone(caller, school_id))
        week = build_week(answer, day)
        return self._frame.page(
            "family/week.html",
            request,
            caller,
            welcome=caller.login if flash.read(request) == "welcome" else "",
            children=people.build_children(caller, student_id, f"?week={asked}" if asked else ""),
            student=people.find_student(caller, student_id),
            week=week,
            school_name=people.school_name(caller, school_id),
            printed=f"{day:%d.%m.%Y}",
        )

    async def _tell_ended(self, request: Request, session: Session, error: GatewayError) -> Response:
        """Who has ended the own access by a statement reads of it (Clause R33); to anybody else there is no such page."""
        school_id = path_id(request, "school")
        caller = await self._frame.callers.ask(session.token)
        if not people.own_person_id(caller, school_id):
            raise error
        grants = await list_own_grants(self._frame, session, school_id, path_id(request, "student"))
        ended = find_ended(school_id, grants, people.school_zone(caller, school_id))
        if not ended:
            raise error
        return self._frame.page("family/access_ended.html", request, caller, 403, ended=ended)


def _asked_week(request: Request) -> str:
    """The week of the address; empty for the present one. 404 for what is no week."""
    week = request.query_params.get("week", "")
    if week:
        try:
            dates.parse_week(week)
        except ValueError as error:
            raise HTTPException(404) from error
    return week
