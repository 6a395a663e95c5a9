"""Lessons and their attendance, and how each write of the journal goes: read, decide, save, again when another came between."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from chassis import auth, requests
from chassis.clock import today
from chassis.db import Connection, Question
from chassis.errors import NotFound, Unavailable
from chassis.interceptors import Context
from chassis.run import Frame
from diary.journal.v1 import journal_service_pb2
from services.journal.lessons import convert
from services.journal.lessons.rules import attendance as attendance_rules
from services.journal.lessons.rules import lessons as lesson_rules
from services.journal.lessons.store import lessons, writes

# Each lost race means that another call has saved, so this many are lost only under a flood on one course.
_ATTEMPTS = 50

M = TypeVar("M", bound=Message)
Rows = Sequence[Any]
Attempt = Callable[[Connection, Rows], Awaitable[M | None]]


class Write(requests.Write, Protocol):
    """A write of a school."""

    school_id: str


class Writing:
    """What methods that write have in common."""

    def __init__(self, frame: Frame) -> None:
        self.database = frame.database
        self.clock = frame.clock

    def begin(self, request: Write) -> writes.Call:
        """The write of the caller, by its request_id."""
        who = auth.caller()
        return writes.Call(
            school_id=UUID(request.school_id),
            account_id=who.account_id,
            session_id=who.session_id,
            request_id=UUID(request.request_id),
            rpc=type(request).__name__.removesuffix("Request"),
            digest=requests.digest(request),
            now=self.clock.now(),
        )

    async def settle(self, call: writes.Call, question: Question, attempt: Attempt[M]) -> M:
        """Reads, decides and saves until no other hand comes between."""
        for _ in range(_ATTEMPTS):
            async with self.database.school_asking(call.school_id, question) as (connection, rows):
                answer = await attempt(connection, rows)
            if answer is not None:
                return answer
        raise Unavailable("REQUEST_IN_PROGRESS", "others write here at this moment; repeat the call")


class LessonMethods(Writing):
    """The part of lessons and attendance in JournalService."""

    async def RecordLesson(
        self, request: journal_service_pb2.RecordLessonRequest, context: Context
    ) -> journal_service_pb2.RecordLessonResponse:
        """Records a held lesson; a planned one at that day and number becomes held."""
        call, course_id, record = self.begin(request), UUID(request.course_id), convert.read_record(request)

        async def attempt(connection: Connection, rows: Rows) -> journal_service_pb2.RecordLessonResponse | None:
            found = lessons.read_place(rows)
            if found is None:
                raise no_course()
            if found.answered:
                return repeat(found.answered, request, journal_service_pb2.RecordLessonResponse)
            day = today(self.clock, found.place.time_zone)
            lesson = lesson_rules.record_lesson(found.place, record, course_id, day)
            answer = journal_service_pb2.RecordLessonResponse(lesson=convert.write_lesson(lesson))
            fact = build_fact(call, answer, convert.write_lesson_recorded(call.school_id, found.place.class_id, lesson))
            return answer if await lessons.save_lesson(connection, lesson, fact) else None

        return await self.settle(call, lessons.ask_place(call, course_id, record), attempt)

    async def RecordAttendance(
        self, request: journal_service_pb2.RecordAttendanceRequest, context: Context
    ) -> journal_service_pb2.RecordAttendanceResponse:
        """Records who was absent; everyone not named was present."""
        call, course_id, lesson_id = self.begin(request), UUID(request.course_id), UUID(request.lesson_id)
        absences = convert.read_absences(request.absences)

        async def attempt(connection: Connection, rows: Rows) -> journal_service_pb2.RecordAttendanceResponse | None:
            found = lessons.read_attendance(rows)
            if found is None:
                raise no_course()
            if found.answered:
                return repeat(found.answered, request, journal_service_pb2.RecordAttendanceResponse)
            lesson, changes = attendance_rules.record_attendance(found.attendance, absences, request.etag)
            answer = journal_service_pb2.RecordAttendanceResponse(lesson=convert.write_lesson(lesson))
            fact = build_fact(call, answer, convert.write_attendance_recorded(call.school_id, lesson, absences))
            return answer if await lessons.save_attendance(connection, lesson, changes, fact) else None

        return await self.settle(call, lessons.ask_attendance(call, course_id, lesson_id), attempt)


def repeat(answered: writes.Answered, request: Write, answer: type[M]) -> M:
    """The answer given before. Raises InvalidArgument REQUEST_ID_REUSED when the request was another."""
    requests.check_digest(answered.rpc, answered.digest, request)
    return answer.FromString(answered.answer)


def build_fact(call: writes.Call, answer: Message, event: Message) -> writes.Fact:
    """What a save tells: the answer, and the event."""
    return writes.Fact(call, answer.SerializeToString(), event.DESCRIPTOR.full_name, event.SerializeToString())


def no_course() -> NotFound:
    """Alike for a course that is absent and for one that the caller does not teach."""
    return NotFound("COURSE_NOT_FOUND", "no such course that you may open")
