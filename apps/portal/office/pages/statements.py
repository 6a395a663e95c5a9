"""A statement of Appendix 2 or 3 entered from paper: the form, a look at whose access ends, registering."""

from typing import Any
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.portal import flash, people, roles
from apps.portal.asked import MENDED_IN_FORM, path_id, read_form
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.ids import new_id
from apps.portal.office import words
from apps.portal.office.pages.students import about_student
from apps.portal.office.views import statement_form as forms
from apps.portal.reasons import sentence
from apps.portal.sessions import Session
from diary.access.v1 import application_pb2
from diary.access.v1 import application_service_pb2 as pb

_STATEMENT = "/schools/{school:uuid}/applications/new/{student:uuid}/statement"
# The services confirm an ending within 4.5 seconds each time it is asked for; the channel asks up to three times.
ENDING_SECONDS = 15.0
_MENDED_REASONS = frozenset({"PERSON_NOT_FOUND"})


class StatementPages:
    """What signers on paper ask: an access ends with the registration, so the page says whose before it does."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        self.routes = [
            Route(_STATEMENT, page(self._show), methods=["GET"]),
            Route(_STATEMENT, page(self._take), methods=["POST"]),
        ]

    async def _show(self, request: Request, session: Session) -> Response:
        try:
            kind = forms.read_kind(request.query_params.get("kind", ""))
        except ValueError as error:
            raise HTTPException(404) from error
        school_id = path_id(request, "school")
        caller, _, guardianships = about = await about_student(self._frame, *_ids(request), session.token)
        of_office = roles.sees_whole_school(caller, school_id)
        channel = (
            application_pb2.APPLICATION_CHANNEL_IN_PERSON if of_office else application_pb2.APPLICATION_CHANNEL_CLASS_TEACHER
        )
        now = self._frame.clock.now().astimezone(ZoneInfo(people.school_zone(caller, school_id)))
        form = forms.empty_statement(kind, channel, now, not guardianships, new_id(self._frame.clock))
        return self._page(request, about, form)

    async def _take(self, request: Request, session: Session) -> Response:
        """Three steps of one form: `check` shows whose access ends, `edit` comes back, `register` does it."""
        posted = await read_form(request)
        form, step = forms.read_statement_form(posted), posted.get("step", "check")
        about = await about_student(self._frame, *_ids(request), session.token)
        if step == "edit":
            return self._page(request, about, form)
        mistake = forms.find_mistake(form)
        try:
            wanted = form.to_request(*_ids(request), people.school_zone(about[0], path_id(request, "school")))
        except ValueError:
            mistake = mistake or sentence("DATE_INVALID")
        if mistake:
            return self._page(request, about, form, 422, mistake)
        if step != "register":
            return self._page(request, about, form, is_to_confirm=True)
        return await self._register(request, session, about, form, wanted)

    async def _register(
        self, request: Request, session: Session, about: Any, form: forms.StatementForm, wanted: pb.RegisterApplicationRequest
    ) -> Response:
        try:
            register = self._frame.gateway.applications.RegisterApplication
            answer = await call(register, wanted, session.token, ENDING_SECONDS)
        except GatewayError as error:
            if error.reason == "ENDING_PENDING":
                return self._page(request, about, form, 503, is_to_confirm=True, is_pending=True)
            if error.code not in MENDED_IN_FORM and error.reason not in _MENDED_REASONS:
                raise
            problem = forms.name_signer(error.fields, form) + sentence(error.reason, error.fields)
            if error.reason == "APPLICANT_KNOWN":
                form = forms.show_known(form, error.fields, error.metadata)
            form = form.again(new_id(self._frame.clock))
            return self._page(request, about, form, MENDED_IN_FORM.get(error.code, 422), problem)
        url = people.applications_url(path_id(request, "school"))
        return flash.redirect(request, f"{url}/{answer.application.application_id}", "registered")

    def _page(
        self,
        request: Request,
        about: Any,
        form: forms.StatementForm,
        status: int = 200,
        problem: str = "",
        *,
        is_to_confirm: bool = False,
        is_pending: bool = False,
    ) -> Response:
        caller, student, guardianships = about
        url = people.applications_url(path_id(request, "school"))
        kind = int(form.kind) if form.kind in map(str, words.STATEMENTS) else application_pb2.APPLICATION_KIND_APPENDIX_3
        now = self._frame.clock.now().astimezone(ZoneInfo(people.school_zone(caller, path_id(request, "school"))))
        return self._frame.page(
            "office/statement_confirm.html" if is_to_confirm else "office/statement_form.html",
            request,
            caller,
            status,
            title=words.title(kind),
            student=student,
            guardianships=guardianships,
            form=form,
            fields=form.to_fields(),
            signers=forms.build_signers(form, student, guardianships),
            channels=words.STAFF_CHANNELS,
            kinds=words.KINDS,
            reasons=words.PAPER_REASONS,
            ways=words.PRINTOUT_WAYS,
            new=forms.NEW,
            appendix=kind,
            today=f"{now:%Y-%m-%d}",
            problem=problem,
            is_pending=is_pending,
            forms_url=people.forms_url(path_id(request, "school")),
            url=url,
            form_url=f"{url}/new/{student.student_id}",
        )


def _ids(request: Request) -> tuple[str, str]:
    return path_id(request, "school"), path_id(request, "student")
