"""«Информирование на бумаге»: declarations that staff record from the signed sheet or from words (Clauses R7, R8)."""

import asyncio
from collections.abc import Mapping
from datetime import date

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.portal import flash, people
from apps.portal.asked import MENDED_IN_FORM, path_id, read_form
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.ids import new_id
from apps.portal.numbers import read_number
from apps.portal.office import words
from apps.portal.office.pages.students import about_student
from apps.portal.office.views import informing as views
from apps.portal.reasons import sentence
from apps.portal.sessions import Session
from chassis.clock import today
from diary.access.v1 import paper_service_pb2 as pb

_DECLARATIONS = "/schools/{school:uuid}/students/{student:uuid}/declarations"
_MENDED_REASONS = frozenset({"PERSON_NOT_FOUND"})


class DeclarationPages:
    """All declarations about a student, and a form for one more."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        self.routes = [
            Route(_DECLARATIONS, page(self._show), methods=["GET"]),
            Route(_DECLARATIONS, page(self._record), methods=["POST"]),
            Route(f"{_DECLARATIONS}/{{declaration:uuid}}/revoke", page(self._revoke), methods=["POST"]),
        ]

    async def _show(self, request: Request, session: Session) -> Response:
        return await self._page(request, session)

    async def _record(self, request: Request, session: Session) -> Response:
        form = await read_form(request)
        reason, how = read_number(form.get("reason", "")), read_number(form.get("form", ""))
        guardian, day = form.get("guardian", ""), form.get("declare_date", "")
        if not guardian or reason not in words.PAPER_REASONS or how not in views.STAFF_FORMS:
            return await self._page(request, session, 422, "Выберите родителя, причину и как подано заявление.", form)
        try:
            date.fromisoformat(day)
        except ValueError:
            return await self._page(request, session, 422, sentence("DATE_INVALID"), form)
        wanted = pb.RecordPaperDeclarationRequest(
            school_id=path_id(request, "school"),
            student_id=path_id(request, "student"),
            request_id=form.get("request_id", ""),
            guardian_person_id=guardian,
            form=how,  # type: ignore[arg-type]  # one of the two
            declare_date=day,
            reason=reason,  # type: ignore[arg-type]
            declines_printouts="declines" in form,
        )
        views.set_printout_way(wanted, form.get("way", ""), form.get("way_note", ""))
        try:
            await call(self._frame.gateway.papers.RecordPaperDeclaration, wanted, session.token)
        except GatewayError as error:
            return await self._refuse(request, session, error, form)
        return flash.redirect(request, _url(request), "declared")

    async def _revoke(self, request: Request, session: Session) -> Response:
        form = await read_form(request)
        wanted = pb.RevokePaperDeclarationRequest(
            school_id=path_id(request, "school"),
            student_id=path_id(request, "student"),
            declaration_id=path_id(request, "declaration"),
            request_id=form.get("request_id", ""),
        )
        try:
            await call(self._frame.gateway.papers.RevokePaperDeclaration, wanted, session.token)
        except GatewayError as error:
            return await self._refuse(request, session, error, {})
        return flash.redirect(request, _url(request), "revoked")

    async def _refuse(self, request: Request, session: Session, error: GatewayError, form: Mapping[str, str]) -> Response:
        if error.code not in MENDED_IN_FORM and error.reason not in _MENDED_REASONS:
            raise error
        return await self._page(
            request, session, MENDED_IN_FORM.get(error.code, 422), sentence(error.reason, error.fields, error.metadata), form
        )

    async def _page(
        self,
        request: Request,
        session: Session,
        status: int = 200,
        problem: str = "",
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        school_id, student_id = path_id(request, "school"), path_id(request, "student")
        # A child has fewer declarations than a page holds.
        asked = pb.ListPaperDeclarationsRequest(school_id=school_id, student_id=student_id, page_size=500)
        (caller, student, guardianships), answer = await asyncio.gather(
            about_student(self._frame, school_id, student_id, session.token),
            call(self._frame.gateway.papers.ListPaperDeclarations, asked, session.token),
        )
        zone, clock = people.school_zone(caller, school_id), self._frame.clock
        day = today(clock, zone).isoformat()
        return self._frame.page(
            "office/declarations.html",
            request,
            caller,
            status,
            student=student,
            guardianships=guardianships,
            declarations=views.build_declarations(answer.declarations, zone, lambda: new_id(clock)),
            kinds=words.KINDS,
            reasons=words.PAPER_REASONS,
            ways=words.PRINTOUT_WAYS,
            forms=[(form, views.FORMS[form]) for form in views.STAFF_FORMS],
            typed={"declare_date": day, **(typed or {})},
            today=day,
            done=flash.read(request),
            problem=problem,
            request_id=new_id(clock),
            forms_url=people.forms_url(school_id),
            list_url=people.applications_url(school_id),
            url=_url(request),
        )


def _url(request: Request) -> str:
    return people.declarations_url(path_id(request, "school"), path_id(request, "student"))
