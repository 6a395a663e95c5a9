"""What one post of the class form writes: marks, corrections with a reason, attendance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import grpc

from apps.portal.gateway import GatewayError, call
from apps.portal.reasons import sentence
from apps.portal.views import class_form
from apps.portal.views.class_form import ClassForm, Note, Outcome
from diary.journal.v1 import journal_service_pb2 as pb

if TYPE_CHECKING:
    from diary.journal.v1.journal_service_pb2_grpc import JournalServiceAsyncStub

# Refusals that the person sees beside what was typed. Others (no rights, no connection) are pages.
_TOLD_IN_FORM = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ABORTED})


@dataclass(frozen=True)
class LessonWrites:
    """Writes to one lesson. Every call carries an id from the form, so that all may be repeated."""

    journal: JournalServiceAsyncStub
    token: str
    school_id: str
    course_id: str
    lesson_id: str

    async def record(self, typed: ClassForm, mark_min: int) -> Outcome:
        """Records what was typed; what did not go through stands in the outcome."""
        outcome = Outcome()
        cells = class_form.plan_marks(typed, self.lesson_id, mark_min, outcome)
        if cells:
            await self._record_marks(typed, cells, outcome)
        absences = class_form.plan_absences(typed)
        if absences is not None:
            await self._record_attendance(typed, absences, outcome)
        return outcome

    async def _record_marks(self, typed: ClassForm, cells: list[pb.MarkCell], outcome: Outcome) -> None:
        request = pb.RecordMarksRequest(
            school_id=self.school_id, course_id=self.course_id, request_id=typed.marks_request_id, cells=cells
        )
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
                    await self._correct(typed, sent[told.mark_id], outcome)

    async def _correct(self, typed: ClassForm, cell: pb.MarkCell, outcome: Outcome) -> None:
        request = pb.CorrectMarkRequest(
            school_id=self.school_id,
            mark_id=cell.mark_id,
            request_id=str(uuid5(UUID(typed.marks_request_id), cell.mark_id)),
            value=cell.value if cell.HasField("value") else None,
            reason=typed.reason,
            expected_revision=cell.expected_revision,
        )
        try:
            await call(self.journal.CorrectMark, request, self.token)
        except GatewayError as error:
            outcome.notes[cell.mark_id] = Note(_told(error), "refused", cell.expected_revision)
        else:
            del outcome.notes[cell.mark_id]

    async def _record_attendance(self, typed: ClassForm, absences: list[pb.AbsenceCell], outcome: Outcome) -> None:
        request = pb.RecordAttendanceRequest(
            school_id=self.school_id,
            course_id=self.course_id,
            lesson_id=self.lesson_id,
            request_id=typed.attendance_request_id,
            absences=absences,
            etag=typed.attendance_etag,
        )
        try:
            await call(self.journal.RecordAttendance, request, self.token)
        except GatewayError as error:
            outcome.attendance = _told(error)


def _told(error: GatewayError) -> str:
    if error.code in _TOLD_IN_FORM:
        return sentence(error.reason)
    raise error
