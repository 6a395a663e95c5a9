"""Blank forms (Clauses R8, R30, R31)."""

from __future__ import annotations

import grpc
from google.api import httpbody_pb2

from chassis.errors import NotFound, Unavailable
from chassis.interceptors import Context
from diary.access.v1 import school_service_pb2, school_service_pb2_grpc
from diary.documents.v1 import form_pb2
from services.documents.forms.actions import RememberedForms
from services.documents.forms.convert import render_form
from services.documents.forms.rules import FORMS, FormSchool, build_form
from services.documents.press.actions.presses import Press

# Nobody waits longer for a form: the gateway gives up at half a minute.
_WAITING, _SECONDS = 16, 28.0
_REMEMBERED_BYTES = 16 << 20
_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class FormMethods:
    """The forms' part of DocumentService."""

    def __init__(self, schools: school_service_pb2_grpc.SchoolServiceAsyncStub) -> None:
        self._schools = schools
        # Anyone may ask for forms: they have a press of their own, so that the office's papers never wait behind them.
        self._press = Press(_WAITING, _SECONDS)
        self._remembered = RememberedForms(_REMEMBERED_BYTES)

    async def RenderForm(self, request: form_pb2.RenderFormRequest, context: Context) -> httpbody_pb2.HttpBody:
        """A blank form in the school's name (Clauses R8, R30, R31)."""
        form = FORMS.get(request.kind)
        if form is None:
            raise _no_form()
        page = build_form(form, await self._get_school(request.school_id))
        file = self._remembered.find(page)
        if file is None:
            file = await self._press.render("form", render_form, page)
            self._remembered.keep(page, file)
        return httpbody_pb2.HttpBody(content_type="application/pdf", data=file)

    async def _get_school(self, school_id: str) -> FormSchool:
        """What access says of the school. Raises NotFound FORM_NOT_FOUND, Unavailable ACCESS_UNAVAILABLE."""
        try:
            answer = await self._schools.GetSchool(school_service_pb2.GetSchoolRequest(school_id=school_id))
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                raise _no_form() from error
            if error.code() not in _AWAY:
                raise
            raise Unavailable("ACCESS_UNAVAILABLE", "access does not say whose form it is now; repeat the call") from error
        details = answer.details
        return FormSchool(answer.school.name, details.head_position_dative, details.head_name_dative)


def _no_form() -> NotFound:
    kinds = ", ".join(FORMS)
    return NotFound("FORM_NOT_FOUND", f"no such school, or no such form; there are {kinds}")
