"""The page of a course, marks, a class's lesson in one piece, a lesson withdrawn.

What is recorded is visible to the family at once (Clause R4).
"""

import secrets
from collections.abc import Sequence
from uuid import UUID

from chassis import auth, paging
from chassis.clock import today
from chassis.db import Connection
from chassis.errors import NotFound
from chassis.interceptors import Context
from diary.journal.v1 import journal_service_pb2
from services.journal.curriculum.rules import Period, find_current_period
from services.journal.lessons import convert as lesson_convert
from services.journal.lessons.rpc import Rows, Writing, build_fact, no_course, repeat
from services.journal.lessons.rules import lessons as lesson_rules
from services.journal.lessons.store import writes
from services.journal.marks import convert
from services.journal.marks.rules import class_record as class_rules
from services.journal.marks.rules import marks as mark_rules
from services.journal.marks.rules.history import SALT_BYTES, Batch, BatchHeader, build_batch
from services.journal.marks.rules.journal_page import PageFrame
from services.journal.marks.rules.marks import Cell, MarkedCourse, Revision
from services.journal.marks.store import class_record, journal_page, marks, retraction


class MarkMethods(Writing):
    """The part of marks in JournalService. A course that is not the caller's and one that is absent answer alike."""

    async def ListCourses(
        self, request: journal_service_pb2.ListCoursesRequest, context: Context
    ) -> journal_service_pb2.ListCoursesResponse:
        """Courses by class, subject and group. Raises NotFound SCHOOL_NOT_FOUND."""
        school_id, who, now = UUID(request.school_id), auth.caller(), self.clock.now()
        page = paging.Page(request, ("courses", request.school_id), ("", "", paging.FIRST_ID))
        async with self.database.school(school_id) as connection:
            if not await journal_page.is_staff(connection, school_id, who, now):
                raise NotFound("SCHOOL_NOT_FOUND", "no such school with a place for you")
            found = await journal_page.list_courses(connection, school_id, who, now, page.after, page.limit)
        shown, token = page.cut(found, lambda row: row[1])
        courses = [convert.write_course(course) for course, _ in shown]
        return journal_service_pb2.ListCoursesResponse(courses=courses, next_page_token=token)

    async def GetJournalPage(
        self, request: journal_service_pb2.GetJournalPageRequest, context: Context
    ) -> journal_service_pb2.GetJournalPageResponse:
        """Students x lessons. Raises NotFound COURSE_NOT_FOUND, PERIOD_NOT_FOUND."""
        school_id, course_id = UUID(request.school_id), UUID(request.course_id)
        async with self.database.school(school_id) as connection:
            frame = await journal_page.find_frame(connection, school_id, auth.caller(), self.clock.now(), course_id)
            if frame is None:
                raise no_course()
            period = self._choose_period(frame, request.period_id)
            page = await journal_page.get_page(connection, school_id, course_id, period)
        return convert.write_page(frame, period, page)

    def _choose_period(self, frame: PageFrame, period_id: str) -> Period:
        if period_id:
            wanted = UUID(period_id)
            period = next((period for period in frame.periods if period.period_id == wanted), None)
        else:
            period = find_current_period(frame.periods, today(self.clock, frame.time_zone))
        if period is None:
            raise NotFound("PERIOD_NOT_FOUND", "no such period in the school year")
        return period

    async def RetractLesson(
        self, request: journal_service_pb2.RetractLessonRequest, context: Context
    ) -> journal_service_pb2.RetractLessonResponse:
        """Withdraws a lesson recorded by mistake. Raises FailedPrecondition LESSON_NOT_EMPTY, Aborted LESSON_CHANGED."""
        call, course_id, lesson_id = self.begin(request), UUID(request.course_id), UUID(request.lesson_id)

        async def attempt(connection: Connection, rows: Rows) -> journal_service_pb2.RetractLessonResponse | None:
            found = retraction.read_retraction(rows)
            if found is None:
                raise no_course()
            if found.answered:
                return repeat(found.answered, request, journal_service_pb2.RetractLessonResponse)
            recorded = found.recorded
            lesson = lesson_rules.retract_lesson(recorded, request.etag)
            header = BatchHeader(call.school_id, course_id, recorded.batch_count + 1, call.account_id, call.now)
            answer = journal_service_pb2.RetractLessonResponse(is_planned=recorded.is_in_timetable)
            fact = build_fact(call, answer, lesson_convert.write_lesson_retracted(call.school_id, recorded.class_id, lesson))
            batch = build_batch(header, (), b"")
            return (
                answer if await retraction.save_retraction(connection, recorded, lesson, batch, request.reason, fact) else None
            )

        return await self.settle(call, retraction.ask_retraction(call, course_id, lesson_id), attempt)

    async def RecordMarks(
        self, request: journal_service_pb2.RecordMarksRequest, context: Context
    ) -> journal_service_pb2.RecordMarksResponse:
        """Records marks of a class at once; each cell has its own outcome."""
        call, course_id, cells = self.begin(request), UUID(request.course_id), convert.read_cells(request.cells)

        async def attempt(connection: Connection, rows: Rows) -> journal_service_pb2.RecordMarksResponse | None:
            found = marks.read_course(rows, course_id)
            if found is None:
                raise no_course()
            if found.answered:
                return repeat(found.answered, request, journal_service_pb2.RecordMarksResponse)
            day = today(self.clock, found.course.time_zone)
            outcomes, revisions = mark_rules.record_marks(found.course, cells, call.account_id, day)
            answer = convert.write_outcomes(outcomes)
            if not revisions:
                return answer if await writes.keep_answer(connection, call, answer.SerializeToString()) else None
            batch = _build_batch(call, found.course, revisions)
            fact = build_fact(call, answer, convert.write_marks_recorded(batch))
            return answer if await marks.insert_batch(connection, batch, fact) else None

        return await self.settle(call, marks.ask_course(call, course_id, cells), attempt)

    async def CorrectMark(
        self, request: journal_service_pb2.CorrectMarkRequest, context: Context
    ) -> journal_service_pb2.CorrectMarkResponse:
        """Corrects one mark with a reason. Raises NotFound MARK_NOT_FOUND, Aborted MARK_CHANGED."""
        call, mark_id = self.begin(request), UUID(request.mark_id)
        value = mark_rules.five_point(request.value if request.HasField("value") else None)
        course_id, cell = await self._find_cell(call, mark_id)

        async def attempt(connection: Connection, rows: Rows) -> journal_service_pb2.CorrectMarkResponse | None:
            found = marks.read_course(rows, course_id)
            if found is None:
                raise _no_mark()
            if found.answered:
                return repeat(found.answered, request, journal_service_pb2.CorrectMarkResponse)
            mark = found.course.marks[mark_id]
            revision = mark_rules.correct_mark(found.course, mark, value, request.expected_revision, request.reason)
            batch = _build_batch(call, found.course, [revision])
            answer = convert.write_correction(batch)
            fact = build_fact(call, answer, convert.write_mark_corrected(batch))
            return answer if await marks.insert_batch(connection, batch, fact) else None

        return await self.settle(call, marks.ask_course(call, course_id, [cell]), attempt)

    async def _find_cell(self, call: writes.Call, mark_id: UUID) -> tuple[UUID, Cell]:
        """The course of a mark, and the cell that names its lesson and student; whose it is, is decided later."""
        async with self.database.school(call.school_id) as connection:
            place = await marks.find_place(connection, call.school_id, mark_id)
        if place is None:
            raise _no_mark()
        course_id, lesson_id, student_id = place
        return course_id, Cell(mark_id, lesson_id, student_id, None, 0)

    async def RecordClass(
        self, request: journal_service_pb2.RecordClassRequest, context: Context
    ) -> journal_service_pb2.RecordClassResponse:
        """Records a class's lesson in one piece: record, marks, attendance (Clause R4)."""
        call, course_id, record = self.begin(request), UUID(request.course_id), convert.read_class(request)

        async def attempt(connection: Connection, rows: Rows) -> journal_service_pb2.RecordClassResponse | None:
            found = class_record.read_place(rows, course_id)
            if found is None:
                raise no_course()
            if found.answered:
                return repeat(found.answered, request, journal_service_pb2.RecordClassResponse)
            place = found.place
            day = today(self.clock, place.lesson.time_zone)
            recorded = class_rules.record_class(place, record, call.account_id, day)
            answer = convert.write_class(recorded)
            if not recorded.is_changed:
                return answer if await writes.keep_answer(connection, call, answer.SerializeToString()) else None
            batch = _build_batch(call, place.course, recorded.revisions)
            fact = build_fact(call, answer, convert.write_class_recorded(batch, place.lesson.class_id, record, recorded))
            return answer if await class_record.save_class(connection, recorded, batch, fact) else None

        return await self.settle(call, class_record.ask_place(call, course_id, record), attempt)


def _build_batch(call: writes.Call, course: MarkedCourse, revisions: Sequence[Revision]) -> Batch:
    header = BatchHeader(call.school_id, course.course_id, course.batch_count + 1, call.account_id, call.now)
    return build_batch(header, revisions, secrets.token_bytes(SALT_BYTES * len(revisions)))


def _no_mark() -> NotFound:
    return NotFound("MARK_NOT_FOUND", "no such mark in a course that you teach")
