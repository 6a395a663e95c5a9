"""Weekly print runs of a class and their hand-over (Clause R7)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

import grpc
from google.api import httpbody_pb2

from chassis import auth, outbox, paging, requests
from chassis.db import Connection
from chassis.errors import NotFound, Unavailable
from chassis.interceptors import Context
from chassis.run import Frame
from diary.access.v1 import roster_pb2, roster_service_pb2, roster_service_pb2_grpc, school_pb2
from diary.documents.v1 import events_pb2, print_run_pb2
from diary.journal.v1 import diary_service_pb2, diary_service_pb2_grpc
from services.documents.press.actions.presses import Press
from services.documents.print_runs import actions
from services.documents.print_runs.convert import runs as convert
from services.documents.print_runs.convert.pdf import render_run
from services.documents.print_runs.convert.roster import read_school_code
from services.documents.print_runs.rules import runs as rules
from services.documents.print_runs.rules.class_week import ClassWeek
from services.documents.print_runs.rules.paper_families import PaperMode, SchoolCode
from services.documents.print_runs.rules.runs import PrintRun, Recipient
from services.documents.print_runs.rules.sheets import PaperCodes, build_run
from services.documents.print_runs.store import paper_families
from services.documents.print_runs.store import runs as store

_AWAY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
_RUNS_A_PAGE = 10


class Sources:
    """What other services know of a class's week."""

    def __init__(
        self, journal: diary_service_pb2_grpc.DiaryServiceAsyncStub, roster: roster_service_pb2_grpc.RosterServiceAsyncStub
    ) -> None:
        self._journal = journal
        self._roster = roster

    async def get_class_week(self, school_id: str, class_id: str, week: str) -> ClassWeek:
        """The week from the journal. Raises NotFound CLASS_NOT_FOUND, Unavailable JOURNAL_UNAVAILABLE."""
        wanted = diary_service_pb2.GetClassWeekRequest(school_id=school_id, class_id=class_id, week=week)
        try:
            return convert.read_class_week(await self._journal.GetClassWeek(wanted))
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                raise _no_class() from error
            if error.code() not in _AWAY:
                raise
            raise _away() from error

    async def get_school(self, school_id: str) -> school_pb2.School:
        """The school, with whose code the codes used outside begin. Raises Unavailable JOURNAL_UNAVAILABLE."""
        [entry] = await self._fetch(school_id, roster_pb2.ROSTER_KIND_SCHOOL, [school_id])
        return entry.school.school

    async def get_class_teacher(self, school_id: str, class_id: str) -> str:
        """Today's class teacher, as access names them; empty while there is none. Raises Unavailable JOURNAL_UNAVAILABLE."""
        entries = await self._fetch(school_id, roster_pb2.ROSTER_KIND_CLASS, [class_id])
        # The field's name is a word of Python.
        return next((getattr(entry, "class").class_teacher_name for entry in entries), "")

    async def get_recipients(self, school_id: str, known: Sequence[PaperMode]) -> dict[UUID, list[Recipient]]:
        """The guardians of these declarations by student, as access names them now. Raises Unavailable JOURNAL_UNAVAILABLE."""
        ids = [str(mode.declaration_id) for mode in known]
        kind = roster_pb2.ROSTER_KIND_PAPER_DECLARATION
        return convert.read_recipients(known, await self._fetch(school_id, kind, ids) if ids else [])

    async def _fetch(
        self, school_id: str, kind: roster_pb2.RosterKind.ValueType, ids: Sequence[str]
    ) -> Sequence[roster_pb2.RosterEntry]:
        wanted = roster_service_pb2.BatchGetRosterRequest(school_id=school_id, kind=kind, ids=ids)
        try:
            return (await self._roster.BatchGetRoster(wanted)).entries
        except grpc.aio.AioRpcError as error:
            if error.code() not in _AWAY:
                raise
            raise _away() from error


@dataclass(frozen=True, slots=True)
class _Asked:
    """What others told for a printing."""

    week: ClassWeek
    school: SchoolCode
    class_teacher: str
    recipients: Mapping[UUID, Sequence[Recipient]]


class PrintRunMethods:
    """The print runs' part of DocumentService."""

    def __init__(self, frame: Frame, sources: Sources, press: Press, portal_url: str) -> None:
        self._portal_url = portal_url
        self._database = frame.database
        self._clock = frame.clock
        self._sources = sources
        self._press = press
        # A run holds its connection and its school's numbers while it is printed: one at a time, so that others find theirs.
        self._printing = asyncio.Semaphore(1)

    async def PrepareWeeklyPrintouts(
        self, request: print_run_pb2.PrepareWeeklyPrintoutsRequest, context: Context
    ) -> print_run_pb2.PrepareWeeklyPrintoutsResponse:
        """Prints the week of a class and keeps what was printed (Clause R7)."""
        school_id, class_id = UUID(request.school_id), UUID(request.class_id)
        rules.read_week(request.week)
        async with self._database.school(school_id) as connection:
            if known := await self._find_prepared(connection, school_id, class_id, request):
                return known
        asked = await self._ask(request)
        async with self._printing, self._database.school(school_id) as connection, connection.transaction():
            if known := await self._find_prepared(connection, school_id, class_id, request):
                return known
            return await self._prepare(connection, request, asked)

    async def _ask(self, request: print_run_pb2.PrepareWeeklyPrintoutsRequest) -> _Asked:
        """What the journal and access say of the class's week; nothing is held meanwhile."""
        week = await self._sources.get_class_week(request.school_id, request.class_id, request.week)
        school = await self._sources.get_school(request.school_id)
        class_teacher = await self._sources.get_class_teacher(request.school_id, request.class_id)
        in_class = [student.student_id for student in week.students]
        async with self._database.school(UUID(request.school_id)) as connection:
            known = await paper_families.list_declarations(connection, UUID(request.school_id), in_class)
        recipients = await self._sources.get_recipients(request.school_id, known)
        code = read_school_code(school)
        async with self._database.region() as connection:
            await paper_families.put_school_codes(connection, [code])
        return _Asked(week, code, class_teacher, recipients)

    async def ListPrintRuns(
        self, request: print_run_pb2.ListPrintRunsRequest, context: Context
    ) -> print_run_pb2.ListPrintRunsResponse:
        """Runs of a class, the newest first (Clause R7)."""
        school_id, class_id = UUID(request.school_id), UUID(request.class_id)
        words = ("print runs", request.school_id, request.class_id, request.week)
        page = paging.Page(request, words, (paging.LAST_ID,), size=_RUNS_A_PAGE)
        monday = rules.read_week(request.week) if request.week else None
        async with self._database.school(school_id) as connection:
            await self._require_class(connection, school_id, class_id)
            runs = await store.list_runs(connection, school_id, class_id, monday, *page.after, page.limit)
        shown, token = page.cut(runs, lambda run: (run.print_run_id,))
        return print_run_pb2.ListPrintRunsResponse(print_runs=[convert.write_run(run) for run in shown], next_page_token=token)

    async def DownloadPrintRun(self, request: print_run_pb2.DownloadPrintRunRequest, context: Context) -> httpbody_pb2.HttpBody:
        """The PDF as it was printed."""
        school_id, who = UUID(request.school_id), auth.caller()
        async with self._database.school(school_id) as connection:
            file = await store.find_pdf(connection, school_id, UUID(request.print_run_id), who, self._clock.now())
        if file is None:
            raise _no_run()
        return httpbody_pb2.HttpBody(content_type="application/pdf", data=file)

    async def RecordPrintoutsHandedOver(
        self, request: print_run_pb2.RecordPrintoutsHandedOverRequest, context: Context
    ) -> print_run_pb2.RecordPrintoutsHandedOverResponse:
        """Adds records of hand-over, and settles the term of the class's week (Clause R7)."""
        school_id, who, now = UUID(request.school_id), auth.caller(), self._clock.now()
        new = convert.read_hand_overs(request.hand_overs)
        async with self._database.school(school_id) as connection, connection.transaction():
            run = await self._get_run(connection, school_id, request.print_run_id)
            answer = print_run_pb2.RecordPrintoutsHandedOverResponse
            async with requests.once(connection, self._clock, request, answer) as write:
                if write.is_new:
                    records = rules.check_hand_overs(run, new, who.account_id, now)
                    await store.insert_hand_overs(connection, school_id, run.print_run_id, records)
                    handed = list(dict.fromkeys(addressee.student_id for addressee, _ in records))
                    await actions.settle_weeks_of(connection, self._clock, school_id, run.monday, handed)
                    told = events_pb2.PrintoutHandedOver(
                        school_id=request.school_id, print_run_id=request.print_run_id, student_ids=map(str, handed)
                    )
                    await outbox.add(connection, self._clock, told, school_id)
            run = await self._get_run(connection, school_id, request.print_run_id)
        return answer(print_run=convert.write_run(run))

    async def _prepare(
        self,
        connection: Connection,
        request: print_run_pb2.PrepareWeeklyPrintoutsRequest,
        asked: _Asked,
    ) -> print_run_pb2.PrepareWeeklyPrintoutsResponse:
        """Numbers, prints and keeps the sheets; the numbers are the transaction's last lock but for the answer's row."""
        school_id, class_id, who, now = UUID(request.school_id), UUID(request.class_id), auth.caller(), self._clock.now()
        week, given = asked.week, convert.read_declarations(request.students)
        if request.audience == print_run_pb2.PRINT_AUDIENCE_PAPER_FAMILIES:
            students = rules.choose_paper_families(week, given, asked.recipients.keys())
        else:
            students = rules.choose_students(week, given)
        printed = now.astimezone(ZoneInfo(week.time_zone))
        year = rules.find_school_year(printed.date())
        first = await store.take_numbers(connection, school_id, year, rules.count_sheets(students, asked.recipients))
        sheets = rules.address_sheets(students, asked.recipients, given, year, first)
        codes = PaperCodes(self._portal_url, asked.school.code)
        pages = build_run(week, sheets, codes, asked.class_teacher, request.school_phone, printed)
        file = await self._press.render("weekly", render_run, pages, len(sheets))
        digest = hashlib.sha256(file).digest()
        kept = store.NewRun(
            school_id, class_id, week.class_name, week.monday, week.time_zone, who.account_id, now, file, digest
        )
        run_id = await store.insert_run(connection, kept, sheets)
        ready = events_pb2.PrintRunReady(school_id=request.school_id, print_run_id=str(run_id), class_id=request.class_id)
        await outbox.add(connection, self._clock, ready, school_id)
        answer = print_run_pb2.PrepareWeeklyPrintoutsResponse(print_run=print_run_pb2.PrintRun(print_run_id=str(run_id)))
        await requests.keep_answer(connection, who.account_id, request, answer, now)
        return await self._show_prepared(connection, school_id, str(run_id))

    async def _find_prepared(
        self,
        connection: Connection,
        school_id: UUID,
        class_id: UUID,
        request: print_run_pb2.PrepareWeeklyPrintoutsRequest,
    ) -> print_run_pb2.PrepareWeeklyPrintoutsResponse | None:
        """The run of this very request, as it now stands. Raises NotFound CLASS_NOT_FOUND for whom it is not."""
        await self._require_class(connection, school_id, class_id)
        answer = print_run_pb2.PrepareWeeklyPrintoutsResponse
        known = await requests.find_answer(connection, auth.caller().account_id, request, answer)
        return await self._show_prepared(connection, school_id, known.print_run.print_run_id) if known else None

    async def _show_prepared(
        self, connection: Connection, school_id: UUID, print_run_id: str
    ) -> print_run_pb2.PrepareWeeklyPrintoutsResponse:
        run = await self._get_run(connection, school_id, print_run_id)
        return print_run_pb2.PrepareWeeklyPrintoutsResponse(print_run=convert.write_run(run))

    async def _get_run(self, connection: Connection, school_id: UUID, print_run_id: str) -> PrintRun:
        run = await store.find_run(connection, school_id, UUID(print_run_id), auth.caller(), self._clock.now())
        if run is None:
            raise _no_run()
        return run

    async def _require_class(self, connection: Connection, school_id: UUID, class_id: UUID) -> None:
        if not await store.works_with_class(connection, school_id, class_id, auth.caller(), self._clock.now()):
            raise _no_class()


def _no_class() -> NotFound:
    return NotFound("CLASS_NOT_FOUND", "no such class whose printouts you prepare")


def _no_run() -> NotFound:
    return NotFound("PRINT_RUN_NOT_FOUND", "no such print run of a class of yours")


def _away() -> Unavailable:
    return Unavailable("JOURNAL_UNAVAILABLE", "the journal does not answer; nothing was printed, repeat the call")
