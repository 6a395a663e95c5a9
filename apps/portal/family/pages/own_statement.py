"""«Отказаться от электронного дневника»: a family's statement of Appendix 3 for oneself, and the page of farewell."""

import hashlib
from typing import Any
from urllib.parse import quote, unquote, urlencode

import grpc
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from apps.portal import people
from apps.portal.asked import MENDED_IN_FORM, path_id, read_form
from apps.portal.family.pages.informing import CHOOSE_REASON, ask_own_student
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.ids import new_id
from apps.portal.numbers import read_number
from apps.portal.office import words
from apps.portal.office.pages.statements import ENDING_SECONDS
from apps.portal.office.views.informing import build_own_statement
from apps.portal.once import Once
from apps.portal.reasons import sentence
from apps.portal.sessions import Session
from diary.access.v1 import application_service_pb2 as pb
from diary.options.v1 import options_pb2

_STATEMENT = "/schools/{school:uuid}/students/{student:uuid}/informing/statement"
FAREWELL_URL = "/farewell"
# Tells the number once the session may be over: in a cookie, so that no link can make up a farewell, nor a log keep it.
_FAREWELL = "diary_farewell"
_FAREWELL_SECONDS = 600


class OwnStatementPages:
    """Two steps, since the access ends with the second one. Whoever presses twice gets the answer of the first press."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        # With the last access the session ends too: the second press of a double click could not even ask.
        self._filings: Once[pb.RegisterApplicationResponse] = Once()
        self.routes = [
            Route(_STATEMENT, page(self._show), methods=["GET"]),
            Route(_STATEMENT, page(self._register), methods=["POST"]),
            Route(FAREWELL_URL, self._say_farewell, methods=["GET"]),
        ]

    async def _show(self, request: Request, session: Session) -> Response:
        """Both steps before the statement, so that the browser comes back to either: what is chosen stands in the address."""
        chosen = dict(request.query_params)
        is_to_confirm = chosen.get("step") == "check"
        if is_to_confirm and not _has_reason(chosen):
            _, student = await ask_own_student(self._frame, request, session)
            if student.role != options_pb2.ROLE_STUDENT:
                return await self._page(request, session, chosen, 422, CHOOSE_REASON)
        return await self._page(request, session, chosen, is_to_confirm=is_to_confirm)

    async def _register(self, request: Request, session: Session) -> Response:
        form = await read_form(request)
        wanted = build_own_statement(path_id(request, "school"), path_id(request, "student"), form)
        # Who sends the same statement within the same session is the same person.
        key = hashlib.sha256(session.token.encode() + wanted.SerializeToString(deterministic=True)).digest()
        register = self._frame.gateway.applications.RegisterApplication
        try:
            answer = await self._filings.run(key, call(register, wanted, session.token, ENDING_SECONDS))
        except GatewayError as error:
            if error.reason == "ENDING_PENDING":
                return self._pending(request, form)
            if error.code == grpc.StatusCode.UNAUTHENTICATED and form.get("is_pending") == "yes":
                # The statement ended the session from which its confirmation was asked for.
                return _farewell(request, "")
            if error.code not in MENDED_IN_FORM:
                raise
            told = sentence(error.reason, error.fields, error.metadata)
            # How printouts are given is asked in the statement itself: words of one's own stand in no address.
            is_of_the_way = error.reason == "PRINTOUT_WAY_NOTE_REQUIRED"
            return await self._page(request, session, form, MENDED_IN_FORM[error.code], told, is_to_confirm=is_of_the_way)
        return _farewell(request, answer.application.number)

    def _pending(self, request: Request, form: dict[str, str]) -> Response:
        """Nothing is asked for here: the access has ended."""
        fields = {**form, "is_pending": "yes"}
        return self._frame.renderer.page("family/own_statement_pending.html", 503, fields=fields.items(), url=request.url.path)

    async def _page(
        self,
        request: Request,
        session: Session,
        form: dict[str, str],
        status: int = 200,
        problem: str = "",
        *,
        is_to_confirm: bool = False,
    ) -> Response:
        caller, student = await ask_own_student(self._frame, request, session)
        school_id, is_student = path_id(request, "school"), student.role == options_pb2.ROLE_STUDENT
        school = next(school for school in caller.schools if school.school_id == school_id)
        shown: dict[str, Any] = {
            "student": student,
            "is_student": is_student,
            "school_name": school.school_name,
            "own_name": school.display_name,
            "reason": form.get("reason", ""),
            "declines": form.get("declines") == "yes",
            "reasons": words.OWN_PAPER_REASONS,
            "ways": words.OWN_PRINTOUT_WAYS,
            "way": form.get("way", ""),
            "way_note": form.get("way_note", ""),
            "request_id": new_id(self._frame.clock),
            "problem": problem,
            "back_title": people.informing_title(is_student=is_student),
            "edit_url": _edit_url(people.informing_url(school_id, student.student_id), form),
            "back_url": people.informing_url(school_id, student.student_id),
            "url": f"{people.informing_url(school_id, student.student_id)}/statement",
        }
        name = "family/own_statement_confirm.html" if is_to_confirm else "family/own_statement.html"
        return self._frame.page(name, request, caller, status, **shown)

    async def _say_farewell(self, request: Request) -> Response:
        kept = request.cookies.get(_FAREWELL)
        if kept is None:
            return RedirectResponse("/", status_code=303)
        return self._frame.renderer.page("family/farewell.html", number=unquote(kept.removeprefix("n")))


def _farewell(request: Request, number: str) -> Response:
    response = RedirectResponse(FAREWELL_URL, status_code=303)
    response.set_cookie(
        _FAREWELL,
        # An empty cookie would be none.
        f"n{quote(number)}",
        max_age=_FAREWELL_SECONDS,
        path=FAREWELL_URL,
        httponly=True,
        samesite="lax",
        secure=request.scope["is_secure"],
    )
    return response


def _edit_url(url: str, form: dict[str, str]) -> str:
    """The first step with what was chosen."""
    chosen: dict[str, str] = {name: form[name] for name in ("reason", "declines") if name in form}
    return f"{url}/statement?{urlencode(chosen)}" if chosen else f"{url}/statement"


def _has_reason(form: dict[str, str]) -> bool:
    return read_number(form.get("reason", "")) in words.PAPER_REASONS
