"""«Уведомления»: letters about new marks, for each child on or off."""

import asyncio

import grpc
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.portal import flash, people
from apps.portal.asked import MENDED_IN_FORM, path_id, read_form
from apps.portal.family.views.notices import build_notices, mask
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.ids import new_id
from apps.portal.reasons import sentence
from apps.portal.sessions import Session
from diary.notify.v1.preference_service_pb2 import (
    GetPreferencesRequest,
    GetPreferencesResponse,
    UpdatePreferencesRequest,
)


class NoticePages:
    """All children of the account on one page, of several schools too."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        self.routes = [
            Route(people.NOTICES_URL, page(self._show), methods=["GET"]),
            Route("/schools/{school:uuid}/students/{student:uuid}/notices", page(self._switch), methods=["POST"]),
        ]

    async def _show(self, request: Request, session: Session) -> Response:
        return await self._page(request, session)

    async def _switch(self, request: Request, session: Session) -> Response:
        form = await read_form(request)
        wanted = UpdatePreferencesRequest(
            school_id=path_id(request, "school"),
            student_id=path_id(request, "student"),
            request_id=form.get("request_id", ""),
            is_marks_letter_on=form.get("on") == "yes",
        )
        try:
            await call(self._frame.gateway.preferences.UpdatePreferences, wanted, session.token)
        except GatewayError as error:
            if error.code not in MENDED_IN_FORM:
                raise
            return await self._page(request, session, MENDED_IN_FORM[error.code], sentence(error.reason))
        return flash.redirect(request, people.NOTICES_URL, "saved")

    async def _page(self, request: Request, session: Session, status: int = 200, problem: str = "") -> Response:
        caller = await self._frame.callers.ask(session.token)
        schools = list(dict.fromkeys(school.school_id for school, _ in people.list_children(caller)))
        found = await asyncio.gather(*(self._ask(school_id, session) for school_id in schools))
        answers = dict(zip(schools, found, strict=True))
        email = next((answer.email for answer in found if answer.email), "")
        return self._frame.page(
            "family/notices.html",
            request,
            caller,
            status,
            rows=[(row, new_id(self._frame.clock)) for row in build_notices(caller, answers)],
            email=mask(email) if email else "",
            problem=problem,
            is_saved=flash.read(request) == "saved",
        )

    async def _ask(self, school_id: str, session: Session) -> GetPreferencesResponse:
        """Preferences in a school; none where the last access has just ended."""
        try:
            wanted = GetPreferencesRequest(school_id=school_id)
            return await call(self._frame.gateway.preferences.GetPreferences, wanted, session.token)
        except GatewayError as error:
            if error.code != grpc.StatusCode.NOT_FOUND:
                raise
            return GetPreferencesResponse()
