"""«Мои заявления»: an applicant's own cases, the decision, withdrawal (Clauses R23, R24)."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.portal import flash
from apps.portal.asked import MENDED_IN_FORM, path_id, read_form
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.ids import new_id
from apps.portal.reasons import sentence
from apps.portal.sessions import Session
from apps.portal.views import people
from apps.portal.views.case import build_case
from apps.portal.views.informing import build_own_cases
from diary.access.v1 import application_service_pb2 as pb

_LIST = "/schools/{school:uuid}/my-applications"
_CASE = f"{_LIST}/{{application:uuid}}"


class OwnCasePages:
    """What an applicant sees of the own case: its state, the term, the decision. Others of the case stay by name at most."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        self.routes = [
            Route(_LIST, page(self._show_list)),
            Route(_CASE, page(self._show), methods=["GET"]),
            Route(f"{_CASE}/withdraw", page(self._withdraw), methods=["POST"]),
        ]

    async def _show_list(self, request: Request, session: Session) -> Response:
        school_id = path_id(request, "school")
        caller = await self._frame.callers.get(session.token)
        cases: list[pb.Application] = []
        wanted = pb.ListApplicationsRequest(school_id=school_id, page_size=500)
        while True:
            answer = await call(self._frame.gateway.applications.ListApplications, wanted, session.token)
            cases += answer.applications
            wanted.page_token = answer.next_page_token
            if not wanted.page_token:
                break
        person_id = people.own_person_id(caller, school_id)
        rows = build_own_cases(school_id, person_id, cases, people.school_zone(caller, school_id))
        return self._frame.page("own_cases.html", request, caller, rows=rows)

    async def _show(self, request: Request, session: Session) -> Response:
        return await self._page(request, session)

    async def _withdraw(self, request: Request, session: Session) -> Response:
        form = await read_form(request)
        wanted = pb.WithdrawApplicationRequest(**_ids(request), request_id=form.get("request_id", ""))
        try:
            await call(self._frame.gateway.applications.WithdrawApplication, wanted, session.token)
        except GatewayError as error:
            if error.code not in MENDED_IN_FORM:
                raise
            return await self._page(
                request, session, MENDED_IN_FORM[error.code], sentence(error.reason, error.fields, error.metadata)
            )
        return flash.redirect(request, _url(request), "withdrawn")

    async def _page(self, request: Request, session: Session, status: int = 200, problem: str = "") -> Response:
        clock, school_id = self._frame.clock, path_id(request, "school")
        caller, answer = await self._frame.callers.beside(
            session.token,
            call(self._frame.gateway.applications.GetApplication, pb.GetApplicationRequest(**_ids(request)), session.token),
        )
        zone = people.school_zone(caller, school_id)
        case = build_case(answer.application, school_id, zone, clock.now(), lambda: new_id(clock))
        own_id = people.own_person_id(caller, school_id)
        own = next((one for one in case.applicants if own_id and one.person_id == own_id), None)
        if own is None:
            # A case of the office, which has a page of its own.
            raise HTTPException(404)
        return self._frame.page(
            "own_case.html",
            request,
            caller,
            status,
            case=case,
            own=own,
            problem=problem,
            is_withdrawn=flash.read(request) == "withdrawn",
            list_url=people.own_cases_url(school_id),
            url=_url(request),
        )


def _ids(request: Request) -> dict[str, str]:
    return {"school_id": path_id(request, "school"), "application_id": path_id(request, "application")}


def _url(request: Request) -> str:
    return f"{people.own_cases_url(path_id(request, 'school'))}/{path_id(request, 'application')}"
