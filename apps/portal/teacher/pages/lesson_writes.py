"""What one post of the lesson's form writes: record, marks and attendance in one call, corrections with a reason after it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import grpc
from google.protobuf.message import Message

from apps.portal.gateway import GatewayError, call
from apps.portal.reasons import CHANGED_MEANWHILE, sentence
from apps.portal.teacher.views import class_form
from apps.portal.teacher.views.class_form import ClassForm, Note, Outcome
from apps.portal.teacher.views.lesson_form import WORDS, LessonForm, merge_record, stored_words
from diary.journal.v1 import journal_service_pb2 as pb
from diary.journal.v1 import lesson_pb2

if TYPE_CHECKING:
    from diary.journal.v1.journal_service_pb2_grpc import JournalServiceAsyncStub

# Refusals that the person sees beside what was typed. Others (no rights, no connection) are pages.
_TOLD_IN_FORM = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ABORTED})
# Each lost race means that another has saved this very lesson in these milliseconds.
_LOST_RACES = frozenset({"LESSON_CHANGED", "ATTENDANCE_CHANGED"})
_ATTEMPTS = 5


@dataclass(frozen=True)
class LessonWrites:
    """Writes to one course. A call's id follows from the form and from what is sent: the same sent again changes nothing."""

    journal: JournalServiceAsyncStub
    token: str
    school_id: str
    course_id: str
    read_page: Callable[[], Awaitable[pb.GetJournalPageResponse]]

    async def record(
        self, page: pb.GetJournalPageResponse, lesson: lesson_pb2.Lesson | None, record: LessonForm, typed: ClassForm
    ) -> tuple[lesson_pb2.Lesson | None, Outcome]:
        """Records what was typed, in one piece; what did not go through stands in the outcome.

        Field by field and line by line over what stands at this moment, again when another hand came between.
        """
        attempts = 0
        while True:
            attempts += 1
            outcome = Outcome()
            request = self._plan(page, lesson, record, typed, outcome)
            if not request.topic:
                outcome.problem, outcome.is_unsaved = "Напишите тему урока.", True
                return lesson, outcome
            if lesson and _says_what_stands(request, lesson, class_form.stored_absences(page, lesson.lesson_id)):
                return lesson, outcome
            _sign(request, record)
            try:
                answer = await call(self.journal.RecordClass, request, self.token)
            except GatewayError as error:
                if lesson is None or error.reason not in _LOST_RACES or attempts == _ATTEMPTS:
                    _note_refusal(outcome, error)
                    return lesson, outcome
                page = await self.read_page()
                lesson = next((one for one in page.lessons if one.lesson_id == lesson.lesson_id), lesson)
            else:
                await self._note_marks(record, typed, request, answer, outcome)
                return answer.lesson, outcome

    def _plan(
        self,
        page: pb.GetJournalPageResponse,
        lesson: lesson_pb2.Lesson | None,
        record: LessonForm,
        typed: ClassForm,
        outcome: Outcome,
    ) -> pb.RecordClassRequest:
        """What to send; what is asked about first is noted in `outcome` instead."""
        lesson_id = lesson.lesson_id if lesson else ""
        merged = merge_record(record, lesson)
        stored = class_form.stored_absences(page, lesson_id)
        wanted, others = class_form.merge_absences(typed, stored)
        outcome.others = merged.others
        outcome.both = class_form.find_both(typed, page, lesson_id, wanted)
        outcome.absences = {
            student_id: f"{CHANGED_MEANWHILE}: {class_form.name_code(code)}" for student_id, code in others.items()
        }
        wanted |= {student_id: stored.get(student_id, 0) for student_id in outcome.both}
        return pb.RecordClassRequest(
            school_id=self.school_id,
            course_id=self.course_id,
            lesson_date=record.lesson_date,
            lesson_number=record.number,
            etag=lesson.etag if lesson and lesson.state == lesson_pb2.LESSON_STATE_HELD else "",
            marks=class_form.plan_marks(typed, page.mark_min, outcome, class_form.find_unseen(typed, page, lesson_id)),
            absences=class_form.plan_absences(wanted),
            attendance_etag=lesson.attendance_etag if lesson else "",
            **merged.words,
        )

    async def _note_marks(
        self,
        record: LessonForm,
        typed: ClassForm,
        request: pb.RecordClassRequest,
        answer: pb.RecordClassResponse,
        outcome: Outcome,
    ) -> None:
        """Notes the marks that were not saved; one of an earlier day is corrected, where the form has the reason."""
        class_form.note_marks(outcome, answer)
        sent = {cell.mark_id: cell for cell in request.marks}
        for told in answer.outcomes:
            if typed.reason and told.reason == "REASON_REQUIRED":
                await self._correct(record, typed, sent[told.mark_id], outcome)

    async def _correct(self, record: LessonForm, typed: ClassForm, cell: pb.ClassMarkCell, outcome: Outcome) -> None:
        request = pb.CorrectMarkRequest(
            school_id=self.school_id,
            mark_id=cell.mark_id,
            value=cell.value if cell.HasField("value") else None,
            reason=typed.reason,
            expected_revision=cell.expected_revision,
        )
        _sign(request, record)
        try:
            await call(self.journal.CorrectMark, request, self.token)
        except GatewayError as error:
            outcome.notes[cell.mark_id] = Note(_told(error), "refused", cell.expected_revision)
        else:
            del outcome.notes[cell.mark_id]


def _says_what_stands(request: pb.RecordClassRequest, lesson: lesson_pb2.Lesson, stored: Mapping[str, int]) -> bool:
    """Whether nothing is to be sent. Attendance of which nothing was recorded yet is: all were present."""
    words = {name: getattr(request, name) for name in WORDS}
    absences = {absence.student_id: int(absence.code) for absence in request.absences}
    is_same = words == stored_words(lesson) and absences == {one: code for one, code in stored.items() if code}
    return bool(lesson.state == lesson_pb2.LESSON_STATE_HELD and lesson.attendance_etag and is_same and not request.marks)


def _note_refusal(outcome: Outcome, error: GatewayError) -> None:
    """The whole was refused, so that all that was typed stays; beside the student, where it is one's absence."""
    outcome.problem, outcome.is_unsaved = _told(error), True
    if student_id := error.metadata.get("student_id", ""):
        outcome.absences[student_id] = outcome.problem


def _sign(request: Message, record: LessonForm) -> None:
    """Gives a write its request_id."""
    content = request.SerializeToString(deterministic=True).hex()
    request.request_id = str(uuid5(UUID(record.form_id), f"{type(request).__name__} {content}"))  # type: ignore[attr-defined]


def _told(error: GatewayError) -> str:
    if error.code in _TOLD_IN_FORM:
        return sentence(error.reason)
    raise error
