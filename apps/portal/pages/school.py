"""«Реквизиты школы»: what the school's papers say of it."""

import grpc
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
from apps.portal.views.school_form import build_fields, read_details
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
            return await self._page(request, session, MENDED_IN_FORM[error.code], error.reason, wanted.details)
        return flash.redirect(request, people.school_url(wanted.school_id), "saved")

    async def _page(
        self,
        request: Request,
        session: Session,
        status: int = 200,
        reason: str = "",
        typed: pb.SchoolDetails | None = None,
    ) -> Response:
        school_id = path_id(request, "school")
        caller = await self._frame.callers.get(session.token)
        if not people.may_change_school(caller, school_id):
            # Reading is open to everybody; the form is not.
            raise GatewayError(grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")
        kept = await call(self._frame.gateway.schools.GetSchool, pb.GetSchoolRequest(school_id=school_id), session.token)
        return self._frame.page(
            "school.html",
            request,
            caller,
            status,
            school=kept.school,
            fields=build_fields(kept.details, typed, shows_others=reason == "ETAG_STALE"),
            # A form that was refused is saved the next time in sight of what others saved.
            etag=kept.etag,
            problem=sentence(reason) if reason else "",
            is_saved=flash.read(request) == "saved",
            request_id=new_id(self._frame.clock),
            url=people.school_url(school_id),
        )
