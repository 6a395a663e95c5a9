"""«Печать за неделю»: a class's week printed, downloaded, handed over."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from apps.portal import dates, flash, people, roles
from apps.portal.asked import MENDED_IN_FORM, path_id, read_form, read_list
from apps.portal.class_teacher import views
from apps.portal.downloads import attachment
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.ids import new_id
from apps.portal.office.pages.students import list_classes, list_students
from apps.portal.reasons import sentence
from apps.portal.sessions import Session
from chassis.clock import today
from diary.access.v1.session_service_pb2 import GetCallerResponse
from diary.documents.v1 import print_run_pb2

_CLASS = "/schools/{school:uuid}/classes/{class_:uuid}/printouts"
# A class is printed within the call.
_PRINT_SECONDS = 30.0
# Nothing happened, and the page can say what to do.
_TOLD_WHEN_AWAY = frozenset({"JOURNAL_UNAVAILABLE"})


class PrintoutPages:
    """Weekly printouts of a class (Clause R7). Each button carries the id of its request, so that a double click acts once."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        self.routes = [
            Route("/schools/{school:uuid}/printouts", page(self._choose)),
            Route(_CLASS, page(self._show), methods=["GET"]),
            Route(_CLASS, page(self._prepare), methods=["POST"]),
            Route(f"{_CLASS}/{{run:uuid}}", page(self._download), methods=["GET"]),
            Route(f"{_CLASS}/{{run:uuid}}", page(self._hand_over), methods=["POST"]),
        ]

    async def _choose(self, request: Request, session: Session) -> Response:
        """Classes of the school; a class teacher of one goes on to it."""
        school_id = path_id(request, "school")
        caller = await self._frame.callers.get(session.token)
        if roles.sees_whole_school(caller, school_id):
            classes = {one.class_id: one.name for one in await list_classes(self._frame, school_id, session.token)}
        else:
            students = await list_students(self._frame, school_id, "", session.token)
            classes = views.list_own_classes([(one.class_id, one.class_name) for one in students])
        links = [(people.class_printouts_url(school_id, class_id), name) for class_id, name in classes.items()]
        if len(links) == 1:
            return RedirectResponse(links[0][0], status_code=303)
        return self._frame.page("class_teacher/printouts_choose.html", request, caller, links=links)

    async def _show(self, request: Request, session: Session) -> Response:
        return await self._page(request, session)

    async def _prepare(self, request: Request, session: Session) -> Response:
        school_id, class_id = path_id(request, "school"), path_id(request, "class_")
        form = await read_form(request)
        wanted = print_run_pb2.PrepareWeeklyPrintoutsRequest(
            school_id=school_id,
            class_id=class_id,
            week=dates.week_of(self._monday(request, await self._frame.callers.get(session.token))),
            request_id=form.get("request_id", ""),
        )
        chosen = await read_list(request, "student") if form.get("whose") == views.CHOSEN else []
        if form.get("whose") == views.CHOSEN and not chosen:
            return await self._page(request, session, 422, "Отметьте хотя бы одного ученика.", whose=views.CHOSEN)
        if form.get("whose", views.PAPER) == views.PAPER:
            wanted.audience = print_run_pb2.PRINT_AUDIENCE_PAPER_FAMILIES
        wanted.students.extend(print_run_pb2.PrintedStudent(student_id=student_id) for student_id in chosen)
        try:
            await call(self._frame.gateway.documents.PrepareWeeklyPrintouts, wanted, session.token, _PRINT_SECONDS)
        except GatewayError as error:
            return await self._refuse(request, session, error, whose=form.get("whose", views.PAPER), chosen=chosen)
        return _see(request, "printed")

    async def _download(self, request: Request, session: Session) -> Response:
        wanted = print_run_pb2.DownloadPrintRunRequest(
            school_id=path_id(request, "school"), print_run_id=path_id(request, "run")
        )
        file = await call(self._frame.gateway.documents.DownloadPrintRun, wanted, session.token, _PRINT_SECONDS)
        return attachment(file, "weekly-sheets", "Еженедельные листы и ведомость")

    async def _hand_over(self, request: Request, session: Session) -> Response:
        form, run_id = await read_form(request), path_id(request, "run")
        runs = await self._list_runs(request, session, await self._frame.callers.get(session.token))
        run = next((run for run in runs if run.print_run_id == run_id), None)
        if run is None:
            raise HTTPException(404)
        try:
            records = views.read_hand_overs(run, form)
        except ValueError as error:
            raise HTTPException(400) from error
        wanted = print_run_pb2.RecordPrintoutsHandedOverRequest(
            school_id=path_id(request, "school"),
            print_run_id=run_id,
            request_id=form.get("request_id", ""),
            hand_overs=records,
        )
        try:
            if records:
                await call(self._frame.gateway.documents.RecordPrintoutsHandedOver, wanted, session.token)
        except GatewayError as error:
            return await self._refuse(request, session, error, form, run_id)
        return _see(request, "handed-over")

    async def _refuse(
        self,
        request: Request,
        session: Session,
        error: GatewayError,
        typed: Mapping[str, str] | None = None,
        run_id: str = "",
        whose: str = views.PAPER,
        chosen: Sequence[str] = (),
    ) -> Response:
        if error.code not in MENDED_IN_FORM and error.reason not in _TOLD_WHEN_AWAY:
            raise error
        status = MENDED_IN_FORM.get(error.code, 503)
        return await self._page(request, session, status, sentence(error.reason), typed, run_id, whose, chosen)

    async def _page(
        self,
        request: Request,
        session: Session,
        status: int = 200,
        problem: str = "",
        typed: Mapping[str, str] | None = None,
        typed_run_id: str = "",
        whose: str = views.PAPER,
        chosen: Sequence[str] = (),
    ) -> Response:
        school_id, class_id = path_id(request, "school"), path_id(request, "class_")
        caller = await self._frame.callers.get(session.token)
        zone, now, monday = people.school_zone(caller, school_id), self._frame.clock.now(), self._monday(request, caller)
        runs, classes, students = await asyncio.gather(
            self._list_runs(request, session, caller),
            list_classes(self._frame, school_id, session.token),
            # Whom the week's printing lists, whoever has moved since (decision 0109).
            list_students(self._frame, school_id, class_id, session.token, monday),
        )
        this_day = today(self._frame.clock, zone)
        return self._frame.page(
            "class_teacher/printouts.html",
            request,
            caller,
            status,
            class_name=next((one.name for one in classes if one.class_id == class_id), ""),
            runs=[
                views.build_run(run, zone, now.timestamp(), typed if run.print_run_id == typed_run_id else None) for run in runs
            ],
            week=dates.week_label(monday),
            query=f"?week={dates.week_of(monday)}",
            earlier=f"?week={dates.week_of(monday - timedelta(days=7))}",
            later=f"?week={dates.week_of(monday + timedelta(days=7))}" if monday + timedelta(days=7) <= this_day else "",
            ways=views.WAYS,
            audiences=views.AUDIENCES,
            whose=whose,
            students=students,
            chosen=chosen,
            today=this_day.isoformat(),
            handed_date=(typed or {}).get("handed_date", this_day.isoformat()),
            problem=problem,
            done=flash.read(request),
            prepare_request_id=new_id(self._frame.clock),
            hand_over_request_id=new_id(self._frame.clock),
            url=people.class_printouts_url(school_id, class_id),
        )

    async def _list_runs(self, request: Request, session: Session, caller: GetCallerResponse) -> list[print_run_pb2.PrintRun]:
        """The runs of the week; nobody prints one more than a page of times."""
        wanted = print_run_pb2.ListPrintRunsRequest(
            school_id=path_id(request, "school"),
            class_id=path_id(request, "class_"),
            week=dates.week_of(self._monday(request, caller)),
            page_size=50,
        )
        answer = await call(self._frame.gateway.documents.ListPrintRuns, wanted, session.token)
        return list(answer.print_runs)

    def _monday(self, request: Request, caller: GetCallerResponse) -> date:
        """Monday of the address's week, or of the present one. 404 for what is no week."""
        week = request.query_params.get("week", "")
        if not week:
            return dates.monday_of(today(self._frame.clock, people.school_zone(caller, path_id(request, "school"))))
        try:
            return dates.parse_week(week)
        except ValueError as error:
            raise HTTPException(404) from error


def _see(request: Request, done: str) -> Response:
    url = people.class_printouts_url(path_id(request, "school"), path_id(request, "class_"))
    week = request.query_params.get("week", "")
    return flash.redirect(request, f"{url}?week={week}" if week else url, done)
