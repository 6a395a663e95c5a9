"""«Дело по заявлению»: the check, granting, slips, the refusal, hand-over, withdrawal."""

import grpc
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from apps.portal import flash, people, roles
from apps.portal.asked import MENDED_IN_FORM, path_id, read_form
from apps.portal.downloads import attachment
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.ids import new_id
from apps.portal.numbers import read_number
from apps.portal.office import words
from apps.portal.office.views.case import build_case
from apps.portal.reasons import sentence
from apps.portal.sessions import Session
from diary.access.v1 import application_service_pb2 as pb
from diary.access.v1.credential_service_pb2 import IssueSlipRequest

_CASE = "/schools/{school:uuid}/applications/{application:uuid}"
# A slip is printed and its password hashed within the call.
_SLIP_SECONDS = 15.0
# Of what is not there at the moment, this alone is told on the page: nothing happened, and the page can say what to do.
_TOLD_WHEN_AWAY = frozenset({"DOCUMENTS_UNAVAILABLE"})


class CasePages:
    """A case and its buttons. Each button carries the id of its request, so that a double click acts once."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        self.routes = [
            Route(_CASE, page(self._show), methods=["GET"]),
            Route(f"{_CASE}/grant", page(self._grant), methods=["POST"]),
            Route(f"{_CASE}/slips", page(self._issue_slip), methods=["POST"]),
            Route(f"{_CASE}/authorities", page(self._show_authority), methods=["POST"]),
            Route(f"{_CASE}/hand-overs", page(self._record_hand_over), methods=["POST"]),
            Route(f"{_CASE}/refusal", page(self._propose_refusal), methods=["POST"]),
            Route(f"{_CASE}/withdraw", page(self._withdraw), methods=["POST"]),
        ]

    async def _show(self, request: Request, session: Session) -> Response:
        school_id = path_id(request, "school")
        if not roles.reads_cases(await self._frame.callers.get(session.token), school_id):
            # A family sees the own case on a page of its own.
            url = f"{people.own_cases_url(school_id)}/{path_id(request, 'application')}"
            return RedirectResponse(url, status_code=303)
        return await self._page(request, session)

    async def _grant(self, request: Request, session: Session) -> Response:
        form = await read_form(request)
        wanted = pb.GrantApplicationRequest(**_ids(request), request_id=form.get("request_id", ""))
        try:
            await call(self._frame.gateway.applications.GrantApplication, wanted, session.token)
        except GatewayError as error:
            return await self._refuse(request, session, error)
        return flash.redirect(request, _url(request), "granted")

    async def _issue_slip(self, request: Request, session: Session) -> Response:
        form = await read_form(request)
        wanted = IssueSlipRequest(
            school_id=path_id(request, "school"), grant_id=form.get("grant_id", ""), request_id=form.get("request_id", "")
        )
        try:
            pdf = await call(self._frame.gateway.credentials.IssueSlip, wanted, session.token, _SLIP_SECONDS)
        except GatewayError as error:
            return await self._refuse(request, session, error, wanted.grant_id)
        return attachment(pdf, "slip", "Памятка доступа")

    async def _record_hand_over(self, request: Request, session: Session) -> Response:
        """The receipt of a slip, or of a refused case how the decision was given."""
        form = await read_form(request)
        wanted = pb.RecordHandOverRequest(
            **_ids(request),
            applicant_id=form.get("applicant_id", ""),
            request_id=form.get("request_id", ""),
            channel=read_number(form.get("channel", "")),  # type: ignore[arg-type]  # a number of the enum, or refused
        )
        try:
            await call(self._frame.gateway.applications.RecordHandOver, wanted, session.token)
        except GatewayError as error:
            return await self._refuse(request, session, error, wanted.applicant_id)
        return flash.redirect(request, _url(request), "handed-over")

    async def _show_authority(self, request: Request, session: Session) -> Response:
        """The document that an applicant shows after the registration."""
        form = await read_form(request)
        wanted = pb.ShowAuthorityRequest(
            **_ids(request),
            applicant_id=form.get("applicant_id", ""),
            request_id=form.get("request_id", ""),
            authority_document=form.get("document", "").strip(),
            authority_date=form.get("document_date", ""),
            authority_end_date=form.get("document_end", ""),
        )
        try:
            await call(self._frame.gateway.applications.ShowAuthority, wanted, session.token)
        except GatewayError as error:
            return await self._refuse(request, session, error, wanted.applicant_id)
        return flash.redirect(request, _url(request), "shown")

    async def _propose_refusal(self, request: Request, session: Session) -> Response:
        form = await read_form(request)
        ground = read_number(form.get("ground", ""))
        if ground not in words.GROUNDS:
            return await self._page(request, session, 422, "Выберите основание отказа.")
        wanted = pb.ProposeRefusalRequest(
            **_ids(request),
            request_id=form.get("request_id", ""),
            ground=ground,  # type: ignore[arg-type]
        )
        try:
            await call(self._frame.gateway.applications.ProposeRefusal, wanted, session.token)
        except GatewayError as error:
            if error.reason == "GROUND_NOT_PROVED":
                return await self._page(request, session, 422, words.GROUND_NOT_PROVED[wanted.ground])
            return await self._refuse(request, session, error)
        return flash.redirect(request, _url(request), "proposed")

    async def _withdraw(self, request: Request, session: Session) -> Response:
        form = await read_form(request)
        wanted = pb.WithdrawApplicationRequest(**_ids(request), request_id=form.get("request_id", ""))
        try:
            await call(self._frame.gateway.applications.WithdrawApplication, wanted, session.token)
        except GatewayError as error:
            return await self._refuse(request, session, error)
        return flash.redirect(request, _url(request), "withdrawn")

    async def _refuse(self, request: Request, session: Session, error: GatewayError, about: str = "") -> Response:
        """The case as it now stands, with the reason beside the applicant or the grant of that id, or above all."""
        if error.code not in MENDED_IN_FORM and error.reason not in _TOLD_WHEN_AWAY:
            raise error
        status = 503 if error.code == grpc.StatusCode.UNAVAILABLE else MENDED_IN_FORM[error.code]
        is_repeated = error.reason == "SLIP_ALREADY_ISSUED"
        return await self._page(
            request, session, status, sentence(error.reason, error.fields, error.metadata), about, is_slip_repeated=is_repeated
        )

    async def _page(
        self,
        request: Request,
        session: Session,
        status: int = 200,
        problem: str = "",
        about: str = "",
        *,
        is_slip_repeated: bool = False,
    ) -> Response:
        wanted, clock = pb.GetApplicationRequest(**_ids(request)), self._frame.clock
        caller, answer = await self._frame.callers.beside(
            session.token,
            call(self._frame.gateway.applications.GetApplication, wanted, session.token),
        )
        school_id = path_id(request, "school")
        zone = people.school_zone(caller, school_id)
        return self._frame.page(
            "office/case.html",
            request,
            caller,
            status,
            case=build_case(answer.application, school_id, zone, clock.now(), lambda: new_id(clock)),
            done=flash.read(request),
            problem=problem,
            problem_about=about,
            is_slip_repeated=is_slip_repeated,
            deliveries=[(channel, words.DELIVERIES[channel]) for channel in words.DELIVERIES_BY_HAND],
            may_grant=roles.may(caller, school_id, roles.GRANT),
            may_hand_over=roles.may(caller, school_id, roles.REGISTER),
            declarations_url=people.declarations_url(school_id, answer.application.student_id),
            list_url=people.applications_url(school_id),
            url=_url(request),
        )


def _ids(request: Request) -> dict[str, str]:
    return {"school_id": path_id(request, "school"), "application_id": path_id(request, "application")}


def _url(request: Request) -> str:
    return f"{people.applications_url(path_id(request, 'school'))}/{path_id(request, 'application')}"
