"""«Заявления»: the list, and registering an application from paper: class, student, form."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from apps.portal import flash, people, roles
from apps.portal.asked import MENDED_IN_FORM, path_id, read_form
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.ids import new_id
from apps.portal.office.pages.students import about_student, list_classes, list_students
from apps.portal.office.views import application_form as forms
from apps.portal.office.views import applications as views
from apps.portal.office.words import KINDS, STAFF_CHANNELS, WAYS
from apps.portal.reasons import sentence
from apps.portal.sessions import Session
from diary.access.v1 import application_pb2, student_pb2
from diary.access.v1 import application_service_pb2 as pb
from diary.access.v1.session_service_pb2 import GetCallerResponse

_LIST = "/schools/{school:uuid}/applications"
# A wrong choice in the form, though it is told as something that is not found.
_MENDED_REASONS = frozenset({"PERSON_NOT_FOUND"})


class ApplicationPages:
    """The list of applications and the form of Appendix 1."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        self.routes = [
            Route(_LIST, page(self._show_list)),
            Route(f"{_LIST}/new", page(self._choose)),
            Route(f"{_LIST}/new/{{student:uuid}}", page(self._show_form), methods=["GET"]),
            Route(f"{_LIST}/new/{{student:uuid}}", page(self._register), methods=["POST"]),
        ]

    async def _show_list(self, request: Request, session: Session) -> Response:
        school_id, chosen = path_id(request, "school"), request.query_params.get("state", "")
        if not roles.reads_cases(await self._frame.callers.get(session.token), school_id):
            # A family has a page of its own cases.
            return RedirectResponse(people.own_cases_url(school_id), status_code=303)
        state = views.find_state(chosen)
        if state is None:
            raise HTTPException(404)
        wanted = pb.ListApplicationsRequest(school_id=school_id, state=state, page_token=request.query_params.get("page", ""))
        caller, answer = await self._frame.callers.beside(
            session.token,
            call(self._frame.gateway.applications.ListApplications, wanted, session.token),
        )
        zone = people.school_zone(caller, school_id)
        return self._frame.page(
            "office/applications.html",
            request,
            caller,
            rows=views.build_rows(school_id, answer.applications, zone, self._frame.clock.now()),
            filters=views.build_filters(school_id, chosen),
            chosen=chosen,
            next_page=answer.next_page_token,
            may_register=roles.may(caller, school_id, roles.REGISTER),
            url=people.applications_url(school_id),
        )

    async def _choose(self, request: Request, session: Session) -> Response:
        """Classes for those who register for the whole school; students of a class, or of the class teacher's own."""
        school_id, class_id = path_id(request, "school"), request.query_params.get("class", "")
        caller = await self._frame.callers.get(session.token)
        if not class_id and roles.sees_whole_school(caller, school_id):
            return self._choice(request, caller, classes=await list_classes(self._frame, school_id, session.token))
        # «Без класса» is everybody, since whom it is about stands in no class yet.
        asked = "" if class_id == "none" else class_id
        students = await list_students(self._frame, school_id, asked, session.token)
        if class_id == "none":
            students = [student for student in students if not student.class_id]
        return self._choice(request, caller, students=students)

    def _choice(self, request: Request, caller: GetCallerResponse, **shown: Any) -> Response:
        school_id = path_id(request, "school")
        return self._frame.page(
            "office/application_choose.html",
            request,
            caller,
            **{"classes": (), "students": (), **shown},
            url=people.applications_url(school_id),
            students_url=people.students_url(school_id),
        )

    async def _show_form(self, request: Request, session: Session) -> Response:
        caller, student, guardianships = await about_student(self._frame, *_about(request), session.token)
        channel = (
            application_pb2.APPLICATION_CHANNEL_IN_PERSON
            if roles.sees_whole_school(caller, path_id(request, "school"))
            else application_pb2.APPLICATION_CHANNEL_CLASS_TEACHER
        )
        form = forms.empty_form(channel, self._now(caller, request), not guardianships, new_id(self._frame.clock))
        return self._form_page(request, caller, student, guardianships, form)

    async def _register(self, request: Request, session: Session) -> Response:
        school_id, student_id = path_id(request, "school"), path_id(request, "student")
        form = forms.read_application_form(await read_form(request))
        zone = people.school_zone(await self._frame.callers.get(session.token), school_id)
        try:
            wanted = form.to_request(school_id, student_id, zone)
        except ValueError:
            return await self._refuse(request, session, form, 422, sentence("DATE_INVALID"))
        if not wanted.applicants:
            return await self._refuse(request, session, form, 422, "Выберите заявителя.")
        try:
            answer = await call(self._frame.gateway.applications.RegisterApplication, wanted, session.token)
        except GatewayError as error:
            if error.code not in MENDED_IN_FORM and error.reason not in _MENDED_REASONS:
                raise
            problem = forms.name_applicant(error.fields, form) + sentence(error.reason, error.fields)
            if error.reason == "APPLICANT_KNOWN":
                form = forms.show_known(form, error.fields, error.metadata)
            return await self._refuse(request, session, form, MENDED_IN_FORM.get(error.code, 422), problem)
        url = f"{people.applications_url(school_id)}/{answer.application.application_id}"
        return flash.redirect(request, url, "registered")

    async def _refuse(
        self, request: Request, session: Session, form: forms.ApplicationForm, status: int, problem: str
    ) -> Response:
        caller, student, guardianships = await about_student(self._frame, *_about(request), session.token)
        form = form.again(new_id(self._frame.clock))
        return self._form_page(request, caller, student, guardianships, form, status, problem)

    def _form_page(
        self,
        request: Request,
        caller: GetCallerResponse,
        student: student_pb2.Student,
        guardianships: list[student_pb2.Guardianship],
        form: forms.ApplicationForm,
        status: int = 200,
        problem: str = "",
    ) -> Response:
        return self._frame.page(
            "office/application_form.html",
            request,
            caller,
            status,
            student=student,
            guardianships=guardianships,
            form=form,
            problem=problem,
            new=forms.NEW,
            today=f"{self._now(caller, request):%Y-%m-%d}",
            channels=STAFF_CHANNELS,
            kinds=KINDS,
            ways=WAYS,
            appendix=application_pb2.APPLICATION_KIND_APPENDIX_1,
            form_url=f"{people.applications_url(path_id(request, 'school'))}/new/{student.student_id}",
            url=people.applications_url(path_id(request, "school")),
        )

    def _now(self, caller: GetCallerResponse, request: Request) -> datetime:
        return self._frame.clock.now().astimezone(ZoneInfo(people.school_zone(caller, path_id(request, "school"))))


def _about(request: Request) -> tuple[str, str]:
    return path_id(request, "school"), path_id(request, "student")
