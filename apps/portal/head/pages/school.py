"""«Реквизиты школы»: what the school's papers say of it, and the regulation it has adopted (Clause R1)."""

from zoneinfo import ZoneInfo

import grpc
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.portal import flash, people, roles
from apps.portal.asked import MENDED_IN_FORM, path_id, read_form
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.head.views.school_form import build_fields, read_details, write_order
from apps.portal.ids import new_id
from apps.portal.reasons import sentence
from apps.portal.sessions import Session
from diary.access.v1 import school_pb2
from diary.access.v1 import school_service_pb2 as pb

_DETAILS = "/schools/{school:uuid}/details"


class SchoolPages:
    """The details as one form. What another saved meanwhile stands beside what was typed."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        self.routes = [
            Route(_DETAILS, page(self._show), methods=["GET"]),
            Route(_DETAILS, page(self._save), methods=["POST"]),
            Route(f"{_DETAILS}/regulation", page(self._adopt), methods=["POST"]),
        ]

    async def _show(self, request: Request, session: Session) -> Response:
        return await self._page(request, session)

    async def _save(self, request: Request, session: Session) -> Response:
        form = await read_form(request)
        wanted = pb.UpdateSchoolRequest(
            school_id=path_id(request, "school"),
            request_id=form.get("request_id", ""),
            etag=form.get("etag", ""),
            details=read_details(form),
        )
        try:
            await call(self._frame.gateway.schools.UpdateSchool, wanted, session.token)
        except GatewayError as error:
            if error.code not in MENDED_IN_FORM:
                raise
            return await self._page(request, session, error, wanted.details)
        return flash.redirect(request, people.school_url(wanted.school_id), "saved")

    async def _adopt(self, request: Request, session: Session) -> Response:
        """The regulation by the school's order (Clause R1)."""
        form = await read_form(request)
        typed = {name: form.get(name, "").strip() for name in ("title", "order_number", "order_date", "valid_from_date")}
        wanted = pb.AdoptRegulationRequest(school_id=path_id(request, "school"), request_id=form.get("request_id", ""), **typed)
        try:
            await call(self._frame.gateway.schools.AdoptRegulation, wanted, session.token)
        except GatewayError as error:
            if error.code not in MENDED_IN_FORM:
                raise
            return await self._page(request, session, error, regulation=school_pb2.Regulation(**typed))
        return flash.redirect(request, people.school_url(wanted.school_id), "adopted")

    async def _page(
        self,
        request: Request,
        session: Session,
        error: GatewayError | None = None,
        typed: school_pb2.SchoolDetails | None = None,
        regulation: school_pb2.Regulation | None = None,
    ) -> Response:
        school_id = path_id(request, "school")
        caller = await self._frame.callers.get(session.token)
        if not roles.may(caller, school_id, roles.CHANGE_SCHOOL):
            # Reading is open to everybody; the form is not.
            raise GatewayError(grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")
        kept = await call(self._frame.gateway.schools.GetSchool, pb.GetSchoolRequest(school_id=school_id), session.token)
        return self._frame.page(
            "head/school.html",
            request,
            caller,
            MENDED_IN_FORM[error.code] if error else 200,
            school=kept.school,
            fields=build_fields(kept.details, typed, shows_others=error is not None and error.reason == "ETAG_STALE"),
            adopted=kept.regulation if kept.HasField("regulation") else None,
            adopted_order=write_order(kept.regulation),
            regulation=regulation or school_pb2.Regulation(),
            today=f"{self._frame.clock.now().astimezone(ZoneInfo(people.school_zone(caller, school_id))):%Y-%m-%d}",
            # A form that was refused is saved the next time in sight of what others saved.
            etag=kept.etag,
            problem=sentence(error.reason, error.fields) if error else "",
            is_saved=flash.read(request) == "saved",
            is_adopted=flash.read(request) == "adopted",
            request_id=new_id(self._frame.clock),
            regulation_request_id=new_id(self._frame.clock),
            url=people.school_url(school_id),
        )
