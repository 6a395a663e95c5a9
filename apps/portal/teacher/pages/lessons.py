"""A lesson: its record, marks and attendance in one form with one save; lessons still to be recorded; one taken back."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from apps.portal import codes, dates, flash, people
from apps.portal.asked import MENDED_IN_FORM, path_id, read_form
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.ids import new_id
from apps.portal.reasons import CHANGED_MEANWHILE, sentence
from apps.portal.sessions import Session
from apps.portal.teacher.pages import lesson_writes
from apps.portal.teacher.views import class_form, lessons
from apps.portal.teacher.views import journal as views
from apps.portal.teacher.views.lesson_form import LessonForm, again, build_lesson_form, empty_lesson_form, read_lesson_form
from chassis.clock import today
from diary.access.v1.session_service_pb2 import GetCallerResponse
from diary.journal.v1 import journal_service_pb2 as pb
from diary.journal.v1 import lesson_pb2

_LESSONS = "/schools/{school:uuid}/courses/{course:uuid}/lessons"


class LessonPages:
    """Whatever a teacher does on the page of a lesson is sent by one button, so that nothing typed is left behind."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        self.routes = [
            Route(f"{_LESSONS}/new", page(self._show_new), methods=["GET"]),
            Route(_LESSONS, page(self._record_new), methods=["POST"]),
            Route(f"{_LESSONS}/{{lesson:uuid}}", page(self._show), methods=["GET"]),
            Route(f"{_LESSONS}/{{lesson:uuid}}", page(self._record), methods=["POST"]),
            Route(f"{_LESSONS}/{{lesson:uuid}}/retract", self._back_to_lesson, methods=["GET"]),
            Route(f"{_LESSONS}/{{lesson:uuid}}/retract", page(self._retract), methods=["POST"]),
        ]

    async def _show_new(self, request: Request, session: Session) -> Response:
        """The lessons of the timetable that wait to be recorded; the empty form where there are none, or another is wanted."""
        caller, page = await self._course_page(request, session)
        day = self._today(caller, request)
        waiting = lessons.list_waiting(page, day)
        if waiting and "other" not in request.query_params and page.may_record and not page.period.is_closed:
            return self._frame.page(
                "teacher/lessons_waiting.html",
                request,
                caller,
                course=page.course,
                group=views.course_group(page.course),
                waiting=waiting,
                url=_course_url(request),
            )
        form = empty_lesson_form((_date(request) or day).isoformat(), new_id(self._frame.clock))
        return self._page(request, caller, page, form, None)

    async def _show(self, request: Request, session: Session) -> Response:
        caller, page = await self._course_page(request, session)
        lesson = _find_lesson(page, path_id(request, "lesson"))
        return self._page(request, caller, page, build_lesson_form(lesson, new_id(self._frame.clock)), lesson)

    async def _record_new(self, request: Request, session: Session) -> Response:
        """A lesson by day and number: a planned one is recorded as itself, another only when the teacher means it."""
        form, typed = await _read(request)
        caller, page = await self._course_page(request, session, _parse_date(form.lesson_date))
        lesson = lessons.find_place(page, form.lesson_date, form.number)
        if lesson and lesson.state == lesson_pb2.LESSON_STATE_HELD and not lessons.is_sent_again(lesson, form):
            return self._refused(request, caller, page, form, None, typed, class_form.Outcome(existing=lesson))
        if lesson is None and not form.is_extra and lessons.has_timetable(page):
            return self._refused(request, caller, page, form, None, typed, class_form.Outcome(asks_extra=True))
        return await self._save(request, session, caller, page, lesson, form, typed)

    async def _record(self, request: Request, session: Session) -> Response:
        form, typed = await _read(request)
        caller, page = await self._course_page(request, session, _parse_date(form.lesson_date))
        lesson = next((one for one in page.lessons if one.lesson_id == path_id(request, "lesson")), None)
        if lesson is None:
            # Retracted meanwhile: what was typed stays, and may be recorded anew.
            gone = class_form.Outcome(problem="Этого урока в журнале больше нет. Если он был, запишите его снова.")
            return self._refused(request, caller, page, form, None, typed, gone)
        return await self._save(request, session, caller, page, lesson, form, typed)

    async def _save(
        self,
        request: Request,
        session: Session,
        caller: GetCallerResponse,
        page: pb.GetJournalPageResponse,
        lesson: lesson_pb2.Lesson | None,
        form: LessonForm,
        typed: class_form.ClassForm,
    ) -> Response:
        day = _parse_date(form.lesson_date)

        async def read_page() -> pb.GetJournalPageResponse:
            return (await self._course_page(request, session, day))[1]

        ids = path_id(request, "school"), path_id(request, "course")
        writes = lesson_writes.LessonWrites(self._frame.gateway.journal, session.token, *ids, read_page)
        lesson, outcome = await writes.record(page, lesson, form, typed)
        if outcome.is_clean and lesson:
            url = f"{_course_url(request)}/lessons/{lesson.lesson_id}?date={lesson.lesson_date}#class"
            return flash.redirect(request, url, "saved")
        page = await read_page()
        stands = next((one for one in page.lessons if lesson and one.lesson_id == lesson.lesson_id), None)
        return self._refused(request, caller, page, form, stands, typed, outcome)

    def _refused(
        self,
        request: Request,
        caller: GetCallerResponse,
        page: pb.GetJournalPageResponse,
        form: LessonForm,
        lesson: lesson_pb2.Lesson | None,
        typed: class_form.ClassForm,
        outcome: class_form.Outcome,
    ) -> Response:
        """The page as the journal now stands, with all that was typed and was not saved."""
        outcome.is_unsaved = outcome.is_unsaved or lesson is None
        form = again(form, lesson, new_id(self._frame.clock))
        return self._page(request, caller, page, form, lesson, 422 if outcome.is_unsaved else 409, typed, outcome)

    async def _back_to_lesson(self, request: Request) -> Response:
        """Where a refused retraction is reloaded, or its address is opened: the lesson it is about."""
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(request.url.path.removesuffix("/retract") + query, status_code=303)

    async def _retract(self, request: Request, session: Session) -> Response:
        form = await read_form(request)
        wanted = pb.RetractLessonRequest(
            school_id=path_id(request, "school"),
            course_id=path_id(request, "course"),
            lesson_id=path_id(request, "lesson"),
            request_id=form.get("request_id", ""),
            etag=form.get("etag", ""),
            reason=form.get("reason", "").strip(),
        )
        try:
            await call(self._frame.gateway.journal.RetractLesson, wanted, session.token)
        except GatewayError as error:
            if error.code not in MENDED_IN_FORM:
                raise
            caller, page = await self._course_page(request, session)
            lesson = _find_lesson(page, wanted.lesson_id)
            problem = sentence(error.reason) if wanted.reason else "Напишите, почему урок отозван."
            outcome = class_form.Outcome(problem=problem)
            shown = build_lesson_form(lesson, new_id(self._frame.clock))
            return self._page(request, caller, page, shown, lesson, MENDED_IN_FORM[error.code], None, outcome)
        return flash.redirect(request, _course_url(request), "retracted")

    def _page(
        self,
        request: Request,
        caller: GetCallerResponse,
        page: pb.GetJournalPageResponse,
        form: LessonForm,
        lesson: lesson_pb2.Lesson | None,
        status: int = 200,
        typed: class_form.ClassForm | None = None,
        outcome: class_form.Outcome | None = None,
    ) -> Response:
        if not page.may_record:
            raise HTTPException(403)
        clock, outcome = self._frame.clock, outcome or class_form.Outcome()
        lesson_id = lesson.lesson_id if lesson else ""
        lines = class_form.build_lines(page, lesson_id, lambda: new_id(clock), typed, outcome)
        return self._frame.page(
            # What was typed stays in sight, also where it cannot be saved.
            "teacher/lesson_closed.html" if page.period.is_closed and typed is None else "teacher/lesson.html",
            request,
            caller,
            status,
            course=page.course,
            group=views.course_group(page.course),
            work_types=page.work_types,
            mark_min=page.mark_min,
            choices=codes.choices(sees_illness=page.sees_illness),
            letters=codes.LETTERS,
            form=form,
            lesson=lesson,
            is_held=lesson is not None and lesson.state == lesson_pb2.LESSON_STATE_HELD,
            may_retract=lesson is not None and lessons.is_empty(page, lesson),
            day=dates.day_month(date.fromisoformat(lesson.lesson_date)) if lesson else "",
            today=self._today(caller, request).isoformat(),
            lines=lines,
            amiss=[(number, line) for number, line in enumerate(lines, start=1) if line.is_amiss],
            outcome=outcome,
            changed_meanwhile=CHANGED_MEANWHILE,
            reason=typed.reason if typed else "",
            retract_id=new_id(clock),
            is_saved=flash.read(request) == "saved",
            url=_course_url(request),
        )

    async def _course_page(
        self, request: Request, session: Session, day: date | None = None
    ) -> tuple[GetCallerResponse, pb.GetJournalPageResponse]:
        """The caller, and the page of the day's period: of the day, else of the address's `date`, else of today."""
        get_page = self._frame.gateway.journal.GetJournalPage
        wanted = pb.GetJournalPageRequest(school_id=path_id(request, "school"), course_id=path_id(request, "course"))
        caller, page = await self._frame.callers.beside(session.token, call(get_page, wanted, session.token))
        wanted.period_id = views.find_period(page, day or _date(request) or self._today(caller, request))
        return caller, await call(get_page, wanted, session.token) if wanted.period_id else page

    def _today(self, caller: GetCallerResponse, request: Request) -> date:
        return today(self._frame.clock, people.school_zone(caller, path_id(request, "school")))


async def _read(request: Request) -> tuple[LessonForm, class_form.ClassForm]:
    """What was typed. 400 for a form that is not ours."""
    form = await read_form(request)
    try:
        record = read_lesson_form(form)
        UUID(record.form_id)
        return record, class_form.read_class_form(form)
    except ValueError as error:
        raise HTTPException(400) from error


def _date(request: Request) -> date | None:
    text = request.query_params.get("date", "")
    day = _parse_date(text)
    if text and day is None:
        raise HTTPException(404)
    return day


def _parse_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _find_lesson(page: pb.GetJournalPageResponse, lesson_id: str) -> lesson_pb2.Lesson:
    for lesson in page.lessons:
        if lesson.lesson_id == lesson_id:
            return lesson
    raise HTTPException(404)


def _course_url(request: Request) -> str:
    return people.course_url(path_id(request, "school"), path_id(request, "course"))
