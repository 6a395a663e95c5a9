"""«Дневник и распечатки»: the family's own choice of paper, and the statement that ends the own access."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
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
from apps.portal.office.views import informing as views
from apps.portal.reasons import sentence
from apps.portal.sessions import Session
from diary.access.v1 import paper_service_pb2 as pb
from diary.access.v1.session_pb2 import CallerStudent
from diary.access.v1.session_service_pb2 import GetCallerResponse
from diary.options.v1 import options_pb2

_INFORMING = "/schools/{school:uuid}/students/{student:uuid}/informing"
CHOOSE_REASON = "Выберите причину: не можете или не хотите пользоваться электронным дневником."


class InformingPages:
    """A guardian's declarations about one student. Students are told of none and may only decline for themselves."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        self.routes = [
            Route(_INFORMING, page(self._show), methods=["GET"]),
            Route(f"{_INFORMING}/paper", page(self._declare), methods=["POST"]),
            Route(f"{_INFORMING}/paper/{{declaration:uuid}}/revoke", page(self._revoke), methods=["POST"]),
        ]

    async def _show(self, request: Request, session: Session) -> Response:
        return await self._page(request, session)

    async def _declare(self, request: Request, session: Session) -> Response:
        form = await read_form(request)
        reason = read_number(form.get("reason", ""))
        if reason not in words.PAPER_REASONS:
            return await self._page(request, session, 422, CHOOSE_REASON, form)
        wanted = pb.RecordPaperDeclarationRequest(
            school_id=path_id(request, "school"),
            student_id=path_id(request, "student"),
            request_id=form.get("request_id", ""),
            reason=reason,  # type: ignore[arg-type]
            declines_printouts=form.get("declines") == "yes",
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
            return await self._refuse(request, session, error)
        return flash.redirect(request, _url(request), "revoked")

    async def _refuse(
        self, request: Request, session: Session, error: GatewayError, typed: Mapping[str, str] | None = None
    ) -> Response:
        if error.code not in MENDED_IN_FORM:
            raise error
        told = sentence(error.reason, error.fields, error.metadata)
        return await self._page(request, session, MENDED_IN_FORM[error.code], told, typed)

    async def _page(
        self,
        request: Request,
        session: Session,
        status: int = 200,
        problem: str = "",
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        caller, student = await ask_own_student(self._frame, request, session)
        school_id = path_id(request, "school")
        zone, clock = people.school_zone(caller, school_id), self._frame.clock
        declarations: tuple[views.DeclarationView, ...] = ()
        if student.role != options_pb2.ROLE_STUDENT:
            asked = pb.ListPaperDeclarationsRequest(school_id=school_id, student_id=student.student_id, page_size=500)
            answer = await call(self._frame.gateway.papers.ListPaperDeclarations, asked, session.token)
            # Who also works in the school is answered with everybody's.
            own = people.own_person_id(caller, school_id)
            listed = [one for one in answer.declarations if one.guardian_person_id == own]
            declarations = views.build_declarations(listed, zone, lambda: new_id(clock))
        return self._frame.page(
            "family/informing.html",
            request,
            caller,
            status,
            student=student,
            is_student=student.role == options_pb2.ROLE_STUDENT,
            children=people.build_children(caller, student.student_id, "", people.informing_url),
            holding=next((one for one in declarations if not one.ended), None),
            ended=[one for one in declarations if one.ended],
            reasons=words.OWN_PAPER_REASONS,
            ways=words.OWN_PRINTOUT_WAYS,
            typed=typed or {},
            declines=(typed or {}).get("declines") == "yes",
            title=people.informing_title(is_student=student.role == options_pb2.ROLE_STUDENT),
            done=flash.read(request),
            problem=problem,
            request_id=new_id(clock),
            cases_url=people.own_cases_url(school_id),
            forms_url=people.forms_url(school_id),
            url=_url(request),
        )


async def ask_own_student(frame: Frame, request: Request, session: Session) -> tuple[GetCallerResponse, CallerStudent]:
    """The caller and the student of the address, whose family the caller is now. 404 for another."""
    # Asked anew: nothing else of these pages would notice at once that the access has ended.
    caller = await frame.callers.ask(session.token)
    school_id, student_id = path_id(request, "school"), path_id(request, "student")
    for school, student in people.list_children(caller):
        if (school.school_id, student.student_id) == (school_id, student_id):
            return caller, student
    raise HTTPException(404)


def _url(request: Request) -> str:
    return people.informing_url(path_id(request, "school"), path_id(request, "student"))
