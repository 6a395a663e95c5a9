"""«Журнал»: the teacher's courses, the page of a course, a lesson with the form of the class."""

from datetime import date

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from apps.portal.asked import MENDED_IN_FORM, path_id, read_form
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.ids import new_id
from apps.portal.pages import lesson_writes
from apps.portal.reasons import sentence
from apps.portal.sessions import Session
from apps.portal.views import class_form, dates, people
from apps.portal.views import journal as views
from apps.portal.views.codes import CHOICES
from apps.portal.views.lesson_form import LessonForm, build_lesson_form, empty_lesson_form, read_lesson_form
from chassis.clock import today
from diary.access.v1.session_service_pb2 import GetCallerResponse
from diary.journal.v1 import journal_service_pb2 as pb

_COURSE = "/schools/{school:uuid}/courses/{course:uuid}"


class JournalPages:
    """Courses, a course's page, its lessons."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        self.routes = [
            Route("/schools/{school:uuid}/courses", page(self._show_courses)),
            Route(_COURSE, page(self._show_journal)),
            Route(f"{_COURSE}/lessons/new", page(self._show_new_lesson), methods=["GET"]),
            Route(f"{_COURSE}/lessons", page(self._record_lesson), methods=["POST"]),
            Route(f"{_COURSE}/lessons/{{lesson:uuid}}", page(self._show_lesson), methods=["GET"]),
            Route(f"{_COURSE}/lessons/{{lesson:uuid}}", page(self._record_class), methods=["POST"]),
        ]

    async def _show_courses(self, request: Request, session: Session) -> Response:
        school_id = path_id(request, "school")
        caller, courses = await self._frame.callers.beside(session.token, self._list_courses(school_id, session))
        school = next((school for school in caller.schools if school.school_id == school_id), None)
        return self._frame.page(
            "courses.html",
            request,
            caller,
            title=(school and people.journals_title(school)) or "Журналы",
            is_own=school is not None and people.is_teacher(school),
            school_name=school.school_name if school else "",
            groups=views.build_courses(courses),
            url=people.courses_url(school_id),
        )

    async def _show_journal(self, request: Request, session: Session) -> Response:
        wanted = pb.GetJournalPageRequest(
            school_id=path_id(request, "school"),
            course_id=path_id(request, "course"),
            period_id=request.query_params.get("period", ""),
        )
        caller, page = await self._frame.callers.beside(
            session.token, call(self._frame.gateway.journal.GetJournalPage, wanted, session.token)
        )
        journal = views.build_journal(page, self._today(caller, request))
        return self._frame.page("journal.html", request, caller, journal=journal, url=_course_url(request))

    async def _show_new_lesson(self, request: Request, session: Session) -> Response:
        caller, page = await self._course_page(request, session)
        form = empty_lesson_form(self._today(caller, request).isoformat(), new_id(self._frame.clock))
        return self._lesson_page(request, caller, page, form, None)

    async def _show_lesson(self, request: Request, session: Session) -> Response:
        caller, page = await self._course_page(request, session)
        lesson = _find_lesson(page, path_id(request, "lesson"))
        form = build_lesson_form(lesson, new_id(self._frame.clock))
        return self._lesson_page(request, caller, page, form, lesson, is_saved="saved" in request.query_params)

    async def _record_lesson(self, request: Request, session: Session) -> Response:
        form = read_lesson_form(await read_form(request))
        wanted = form.to_request(path_id(request, "school"), path_id(request, "course"))
        try:
            lesson = (await call(self._frame.gateway.journal.RecordLesson, wanted, session.token)).lesson
        except GatewayError as error:
            if error.code not in MENDED_IN_FORM:
                raise
            return await self._lesson_refused(request, session, form, error)
        return _see_lesson(request, lesson.lesson_id, lesson.lesson_date)

    async def _lesson_refused(self, request: Request, session: Session, form: LessonForm, error: GatewayError) -> Response:
        caller, page = await self._course_page(request, session)
        lesson = next((lesson for lesson in page.lessons if lesson.lesson_id == form.lesson_id), None)
        # Whoever sends it again has seen the refusal and, after another's change, what stands now.
        form = form.again(new_id(self._frame.clock), lesson.etag if lesson else "")
        status = MENDED_IN_FORM[error.code]
        return self._lesson_page(request, caller, page, form, lesson, status, problem=sentence(error.reason))

    async def _record_class(self, request: Request, session: Session) -> Response:
        caller, page = await self._course_page(request, session)
        lesson = _find_lesson(page, path_id(request, "lesson"))
        try:
            typed = class_form.read_class_form(await read_form(request))
        except ValueError as error:
            raise HTTPException(400) from error
        writes = lesson_writes.LessonWrites(
            self._frame.gateway.journal, session.token, path_id(request, "school"), path_id(request, "course"), lesson.lesson_id
        )
        outcome = await writes.record(typed, page.mark_min)
        if outcome.is_clean:
            return _see_lesson(request, lesson.lesson_id, lesson.lesson_date)
        caller, page = await self._course_page(request, session)
        lesson = _find_lesson(page, lesson.lesson_id)
        form = build_lesson_form(lesson, new_id(self._frame.clock))
        return self._lesson_page(request, caller, page, form, lesson, 409, typed=typed, outcome=outcome)

    def _lesson_page(
        self,
        request: Request,
        caller: GetCallerResponse,
        page: pb.GetJournalPageResponse,
        form: LessonForm,
        lesson: pb.Lesson | None,
        status: int = 200,
        *,
        problem: str = "",
        is_saved: bool = False,
        typed: class_form.ClassForm | None = None,
        outcome: class_form.Outcome | None = None,
    ) -> Response:
        if not page.may_record:
            raise HTTPException(403)
        clock, day = self._frame.clock, self._today(caller, request)
        is_held = lesson is not None and lesson.state == pb.LESSON_STATE_HELD
        lines = (
            class_form.build_lines(page, lesson.lesson_id, lambda: new_id(clock), typed, outcome) if lesson and is_held else ()
        )
        return self._frame.page(
            "lesson.html",
            request,
            caller,
            status,
            course=page.course,
            group=views.course_group(page.course),
            work_types=page.work_types,
            mark_min=page.mark_min,
            choices=CHOICES,
            form=form,
            lesson=lesson,
            day=dates.day_month(date.fromisoformat(lesson.lesson_date)) if lesson else "",
            today=day.isoformat(),
            lines=lines,
            marks_request_id=new_id(clock),
            attendance_request_id=new_id(clock),
            outcome=outcome or class_form.Outcome(),
            reason=typed.reason if typed else "",
            problem=problem,
            is_saved=is_saved,
            url=_course_url(request),
        )

    async def _course_page(self, request: Request, session: Session) -> tuple[GetCallerResponse, pb.GetJournalPageResponse]:
        """The caller, and the page of the period that the address's `date` lies in; without one, of the present period."""
        get_page = self._frame.gateway.journal.GetJournalPage
        wanted = pb.GetJournalPageRequest(school_id=path_id(request, "school"), course_id=path_id(request, "course"))
        caller, page = await self._frame.callers.beside(session.token, call(get_page, wanted, session.token))
        wanted.period_id = views.find_period(page, _date(request) or self._today(caller, request))
        return caller, await call(get_page, wanted, session.token) if wanted.period_id else page

    async def _list_courses(self, school_id: str, session: Session) -> list[pb.Course]:
        courses: list[pb.Course] = []
        wanted = pb.ListCoursesRequest(school_id=school_id, page_size=500)
        while True:
            answer = await call(self._frame.gateway.journal.ListCourses, wanted, session.token)
            courses += answer.courses
            wanted.page_token = answer.next_page_token
            if not wanted.page_token:
                return courses

    def _today(self, caller: GetCallerResponse, request: Request) -> date:
        return today(self._frame.clock, people.school_zone(caller, path_id(request, "school")))


def _date(request: Request) -> date | None:
    text = request.query_params.get("date", "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise HTTPException(404) from error


def _find_lesson(page: pb.GetJournalPageResponse, lesson_id: str) -> pb.Lesson:
    for lesson in page.lessons:
        if lesson.lesson_id == lesson_id:
            return lesson
    raise HTTPException(404)


def _course_url(request: Request) -> str:
    return people.course_url(path_id(request, "school"), path_id(request, "course"))


def _see_lesson(request: Request, lesson_id: str, lesson_date: str) -> Response:
    url = f"{_course_url(request)}/lessons/{lesson_id}?date={lesson_date}&saved"
    return RedirectResponse(url, status_code=303)
