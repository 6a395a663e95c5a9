"""What one post of the lesson's form writes: the record, marks, corrections with a reason, attendance."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import grpc
from google.protobuf.message import Message

from apps.portal.gateway import GatewayError, call
from apps.portal.reasons import CHANGED_MEANWHILE, sentence
from apps.portal.views import class_form
from apps.portal.views.class_form import ClassForm, Note, Outcome
from apps.portal.views.lesson_form import LessonForm, merge_record, stored_words
from diary.journal.v1 import journal_service_pb2 as pb

if TYPE_CHECKING:
    from diary.journal.v1.journal_service_pb2_grpc import JournalServiceAsyncStub

# Refusals that the person sees beside what was typed. Others (no rights, no connection) are pages.
_TOLD_IN_FORM = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ABORTED})
# Each lost race means that another has saved the attendance of this very lesson in these milliseconds.
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
        self, page: pb.GetJournalPageResponse, lesson: pb.Lesson | None, record: LessonForm, typed: ClassForm
    ) -> tuple[pb.Lesson | None, Outcome]:
        """Records what was typed; what did not go through stands in the outcome. The class follows a record that stands."""
        outcome = Outcome()
        lesson = await self._record_lesson(lesson, record, outcome)
        if lesson is None or lesson.state != pb.LESSON_STATE_HELD or outcome.problem:
            outcome.is_unsaved = True
            return lesson, outcome
        stored = class_form.stored_absences(page, lesson.lesson_id)
        wanted, _ = class_form.merge_absences(typed, stored)
        outcome.both = class_form.find_both(typed, page, lesson.lesson_id, wanted)
        unseen = class_form.find_unseen(typed, page, lesson.lesson_id)
        if cells := class_form.plan_marks(typed, lesson.lesson_id, page.mark_min, outcome, unseen):
            await self._record_marks(record, typed, cells, outcome)
        await self._record_attendance(page, lesson, record, typed, outcome)
        return lesson, outcome

    async def _record_lesson(self, lesson: pb.Lesson | None, record: LessonForm, outcome: Outcome) -> pb.Lesson | None:
        merged = merge_record(record, lesson)
        outcome.others = merged.others
        is_held = lesson is not None and lesson.state == pb.LESSON_STATE_HELD
        if lesson and is_held and merged.words == stored_words(lesson):
            return lesson
        if not merged.words["topic"]:
            outcome.problem = "Напишите тему урока."
            return lesson
        request = pb.RecordLessonRequest(
            school_id=self.school_id,
            course_id=self.course_id,
            lesson_date=record.lesson_date,
            lesson_number=record.number,
            etag=lesson.etag if lesson and is_held else "",
            **merged.words,
        )
        _sign(request, record)
        try:
            return (await call(self.journal.RecordLesson, request, self.token)).lesson
        except GatewayError as error:
            outcome.problem = _told(error)
            return lesson

    async def _record_marks(self, record: LessonForm, typed: ClassForm, cells: list[pb.MarkCell], outcome: Outcome) -> None:
        request = pb.RecordMarksRequest(school_id=self.school_id, course_id=self.course_id, cells=cells)
        _sign(request, record)
        try:
            answer = await call(self.journal.RecordMarks, request, self.token)
        except GatewayError as error:
            outcome.problem = _told(error)
            outcome.notes |= {cell.mark_id: Note("не сохранено", "refused", cell.expected_revision) for cell in cells}
            return
        class_form.note_marks(outcome, answer)
        if typed.reason:
            sent = {cell.mark_id: cell for cell in cells}
            for told in answer.outcomes:
                if told.reason == "REASON_REQUIRED":
                    await self._correct(record, typed, sent[told.mark_id], outcome)

    async def _correct(self, record: LessonForm, typed: ClassForm, cell: pb.MarkCell, outcome: Outcome) -> None:
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

    async def _record_attendance(
        self, page: pb.GetJournalPageResponse, lesson: pb.Lesson, record: LessonForm, typed: ClassForm, outcome: Outcome
    ) -> None:
        """Line by line over what stands at this moment, again when another hand came between."""
        for attempt in range(1, _ATTEMPTS + 1):
            stored = class_form.stored_absences(page, lesson.lesson_id)
            wanted, others = class_form.merge_absences(typed, stored)
            wanted |= {student_id: stored.get(student_id, 0) for student_id in outcome.both}
            outcome.absences = {
                student_id: f"{CHANGED_MEANWHILE}: {class_form.name_code(code)}" for student_id, code in others.items()
            }
            present = dict.fromkeys(wanted, 0)
            if lesson.attendance_etag and present | stored == wanted:
                return
            request = pb.RecordAttendanceRequest(
                school_id=self.school_id,
                course_id=self.course_id,
                lesson_id=lesson.lesson_id,
                absences=class_form.plan_absences(wanted),
                etag=lesson.attendance_etag,
            )
            _sign(request, record)
            try:
                await call(self.journal.RecordAttendance, request, self.token)
            except GatewayError as error:
                if error.reason != "ATTENDANCE_CHANGED" or attempt == _ATTEMPTS:
                    outcome.problem = _told(error)
                    if student_id := error.metadata.get("student_id", ""):
                        outcome.absences[student_id] = _told(error)
                    return
                page = await self.read_page()
                lesson = next((one for one in page.lessons if one.lesson_id == lesson.lesson_id), lesson)
            else:
                return


def _sign(request: Message, record: LessonForm) -> None:
    """Gives a write its request_id."""
    content = request.SerializeToString(deterministic=True).hex()
    request.request_id = str(uuid5(UUID(record.form_id), f"{type(request).__name__} {content}"))  # type: ignore[attr-defined]


def _told(error: GatewayError) -> str:
    if error.code in _TOLD_IN_FORM:
        return sentence(error.reason)
    raise error
