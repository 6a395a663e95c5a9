"""«Соблюдение сроков»: what is asked of the school by when, for the head and the administrator (R6, R7, R13, R15)."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.portal import people
from apps.portal.asked import path_id
from apps.portal.frame import Frame
from apps.portal.gateway import call
from apps.portal.head.views import deadlines as views
from apps.portal.sessions import Session
from diary.access.v1 import compliance_service_pb2 as pb


class DeadlinePages:
    """The list of terms, whichever service owns them."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.routes = [Route("/schools/{school:uuid}/deadlines", frame.sessions.page(self._show))]

    async def _show(self, request: Request, session: Session) -> Response:
        school_id, query = path_id(request, "school"), request.query_params
        chosen, shows_met = query.get("clause", ""), "met" in query
        if not views.is_clause(chosen):
            raise HTTPException(404)
        wanted = pb.ListDeadlinesRequest(
            school_id=school_id, clause=chosen, is_open_only=not shows_met, page_token=query.get("page", "")
        )
        caller, answer = await self._frame.callers.beside(
            session.token, call(self._frame.gateway.compliance.ListDeadlines, wanted, session.token)
        )
        return self._frame.page(
            "head/deadlines.html",
            request,
            caller,
            rows=views.build_rows(school_id, answer.deadlines, people.school_zone(caller, school_id)),
            filters=views.build_filters(school_id, chosen, shows_met=shows_met),
            chosen=chosen,
            shows_met=shows_met,
            next_page=answer.next_page_token,
            url=people.deadlines_url(school_id),
        )
