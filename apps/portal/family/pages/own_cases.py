"""«Мои заявления»: all that a family has filed in a school, the own cases, the decision, withdrawal (Clauses R12, R23, R24)."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.portal import flash, people
from apps.portal.asked import MENDED_IN_FORM, path_id, read_form
from apps.portal.family.views import own_filings as views
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.ids import new_id
from apps.portal.office import words
from apps.portal.office.views.case import build_case
from apps.portal.reasons import sentence
from apps.portal.sessions import Session
from diary.access.v1 import application_pb2
from diary.access.v1 import application_service_pb2 as pb
from diary.access.v1.grant_pb2 import OwnGrant
from diary.access.v1.grant_service_pb2 import ListOwnGrantsRequest
from diary.access.v1.paper_declaration_pb2 import OwnPaperDeclaration
from diary.access.v1.paper_service_pb2 import ListOwnPaperDeclarationsRequest

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
        cases, declarations, grants = await asyncio.gather(
            self._list_cases(school_id, session),
            self._list_declarations(school_id, session),
            list_own_grants(self._frame, session, school_id),
        )
        zone = people.school_zone(caller, school_id)
        rows = views.order(
            views.build_own_cases(school_id, people.own_person_id(caller, school_id), cases, zone),
            views.build_own_declarations(school_id, declarations, zone, people.open_ids(caller)),
            views.build_earlier(school_id, grants, zone),
        )
        school_name = people.school_name(caller, school_id)
        return self._frame.page("family/own_cases.html", request, caller, rows=rows, school_name=school_name)

    async def _list_cases(self, school_id: str, session: Session) -> list[application_pb2.Application]:
        wanted = pb.ListApplicationsRequest(school_id=school_id, page_size=500)
        found: list[application_pb2.Application] = []
        while True:
            answer = await call(self._frame.gateway.applications.ListApplications, wanted, session.token)
            found += answer.applications
            wanted.page_token = answer.next_page_token
            if not wanted.page_token:
                return found

    async def _list_declarations(self, school_id: str, session: Session) -> list[OwnPaperDeclaration]:
        wanted = ListOwnPaperDeclarationsRequest(school_id=school_id, page_size=500)
        found: list[OwnPaperDeclaration] = []
        while True:
            answer = await call(self._frame.gateway.papers.ListOwnPaperDeclarations, wanted, session.token)
            found += answer.declarations
            wanted.page_token = answer.next_page_token
            if not wanted.page_token:
                return found

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
            "family/own_case.html",
            request,
            caller,
            status,
            case=case,
            state=words.own_state(answer.application.kind, answer.application.state),
            own=own,
            problem=problem,
            is_withdrawn=flash.read(request) == "withdrawn",
            list_url=people.own_cases_url(school_id),
            url=_url(request),
        )


async def list_own_grants(frame: Frame, session: Session, school_id: str, student_id: str = "") -> list[OwnGrant]:
    """The accesses that the caller holds or has held in a school, the newest first; about one student where named."""
    wanted = ListOwnGrantsRequest(school_id=school_id, student_id=student_id, page_size=500)
    found: list[OwnGrant] = []
    while True:
        answer = await call(frame.gateway.grants.ListOwnGrants, wanted, session.token)
        found += answer.grants
        wanted.page_token = answer.next_page_token
        if not wanted.page_token:
            return found


def _ids(request: Request) -> dict[str, str]:
    return {"school_id": path_id(request, "school"), "application_id": path_id(request, "application")}


def _url(request: Request) -> str:
    return f"{people.own_cases_url(path_id(request, 'school'))}/{path_id(request, 'application')}"
