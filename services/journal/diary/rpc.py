"""DiaryService: the family's diary, and what letters and printouts say of it."""

from datetime import date
from typing import Any
from uuid import UUID

import grpc

from chassis import auth
from chassis.clock import today
from chassis.db import Connection
from chassis.errors import NotFound
from chassis.interceptors import Context
from chassis.run import Frame
from diary.journal.v1 import diary_service_pb2, diary_service_pb2_grpc
from services.journal.diary.convert.class_week import write_class_week
from services.journal.diary.convert.diary_week import Card, Cards, write_week_answer
from services.journal.diary.rules.class_week import build_class_week
from services.journal.diary.rules.diary_week import Week, read_lesson_id
from services.journal.diary.rules.weeks import find_monday, read_week
from services.journal.diary.store import class_week, diary_week
from services.journal.marks.convert import write_marks_for_letters
from services.journal.marks.store import marks

SERVICE = "diary.journal.v1.DiaryService"


class DiaryServicer(diary_service_pb2_grpc.DiaryServiceServicer):
    """What families read."""

    def __init__(self, frame: Frame, cards_bytes: int) -> None:
        self._database = frame.database
        self._clock = frame.clock
        self._cards = Cards(cards_bytes)

    async def GetDiaryWeek(  # type: ignore[override]  # encoded already
        self, request: diary_service_pb2.GetDiaryWeekRequest, context: Context
    ) -> bytes:
        """A student's week, encoded; Clause R4. Raises NotFound STUDENT_NOT_FOUND for absent and not the caller's alike."""
        school_id, student_id = UUID(request.school_id), UUID(request.student_id)
        monday = read_week(request.week) if request.week else await self._find_this_monday(school_id)
        question = diary_week.ask_week(student_id, auth.caller(), self._clock.now(), monday)
        async with self._database.school_asking(school_id, question) as (connection, rows):
            week = diary_week.read_week(rows)
            if week is None:
                raise _no_student()
            cards = await self._find_cards(connection, school_id, week)
        return write_week_answer(str(student_id), monday, week, cards)

    async def BatchGetMarks(
        self, request: diary_service_pb2.BatchGetMarksRequest, context: Context
    ) -> diary_service_pb2.BatchGetMarksResponse:
        """Marks as they now stand, for letters."""
        school_id, mark_ids = UUID(request.school_id), [UUID(mark_id) for mark_id in request.mark_ids]
        async with self._database.school(school_id) as connection:
            return write_marks_for_letters(await marks.list_for_letters(connection, school_id, mark_ids))

    async def GetClassWeek(
        self, request: diary_service_pb2.GetClassWeekRequest, context: Context
    ) -> diary_service_pb2.GetClassWeekResponse:
        """A class's week for printouts (Clause R7). Raises NotFound CLASS_NOT_FOUND."""
        school_id, class_id, monday = UUID(request.school_id), UUID(request.class_id), read_week(request.week)
        async with self._database.school(school_id) as connection:
            frame = await class_week.find_frame(connection, school_id, class_id, monday, self._clock.now())
            if frame is None:
                raise NotFound("CLASS_NOT_FOUND", "no such class in the school")
            student_ids = [student.student_id for student in frame.students]
            records = await class_week.list_records(connection, school_id, student_ids, frame, monday)
        return write_class_week(request.class_id, frame, monday, build_class_week(frame.students, records, monday))

    async def _find_this_monday(self, school_id: UUID) -> date:
        async with self._database.school_asking(school_id, diary_week.ask_zone()) as (_, rows):
            if not rows:
                raise _no_student()
        return find_monday(today(self._clock, rows[0]["time_zone"]))

    async def _find_cards(self, connection: Connection, school_id: UUID, week: Week) -> dict[bytes, Card]:
        """The cards of a week's lessons, by lesson, in their order; those not kept yet are read and encoded."""
        found = {read_lesson_id(key): self._cards.find(key) for key in week.lesson_keys}
        if None in found.values():
            missing = [key for key in week.lesson_keys if found[read_lesson_id(key)] is None]
            found |= self._cards.add(await diary_week.list_contents(connection, school_id, missing))
        return {lesson_id: card for lesson_id, card in found.items() if card is not None}


def _no_student() -> NotFound:
    return NotFound("STUDENT_NOT_FOUND", "no such student whom you may see")


def add_diary_servicer(servicer: DiaryServicer, server: grpc.aio.Server) -> None:
    """Adds the servicer as the generated function does, but for GetDiaryWeek, which answers bytes: the later handler stands."""
    diary_service_pb2_grpc.add_DiaryServiceServicer_to_server(servicer, server)
    encoded: grpc.RpcMethodHandler[Any, bytes] = grpc.unary_unary_rpc_method_handler(
        servicer.GetDiaryWeek, request_deserializer=diary_service_pb2.GetDiaryWeekRequest.FromString
    )
    server.add_registered_method_handlers(SERVICE, {"GetDiaryWeek": encoded})
