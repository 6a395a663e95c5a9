"""Recording who was absent from a lesson, and who may know that the reason is an illness."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import IntEnum
from uuid import UUID

from chassis.errors import Aborted, FailedPrecondition, InvalidArgument, NotFound
from services.journal.lessons.rules.lessons import Lesson, LessonState


class AbsenceCode(IntEnum):
    """Numbers of the proto and of the table; PRESENT only in the table, for who was not absent after all."""

    PRESENT = 0
    ABSENT = 1
    EXCUSED = 2
    ILL = 3
    LATE = 4


@dataclass(frozen=True, slots=True)
class Absence:
    """A student's absence from a lesson."""

    student_id: UUID
    code: AbsenceCode


@dataclass(frozen=True, slots=True)
class LessonAttendance:
    """What stands of a lesson: `lesson` None when the course has no such one; `codes` also of those present after all.

    `sees_illness`: the caller is told of Б (decision 11).
    """

    lesson: Lesson | None
    is_closed: bool
    member_ids: Set[UUID]
    codes: Mapping[UUID, AbsenceCode]
    sees_illness: bool


def record_attendance(attendance: LessonAttendance, absences: Sequence[Absence], etag: str) -> tuple[Lesson, list[Absence]]:
    """The lesson as it will stand, and what changes; who is no longer named becomes present.

    Raises LESSON_NOT_FOUND, ABSENCE_REPEATED, LESSON_NOT_HELD, PERIOD_CLOSED, STUDENT_NOT_IN_COURSE, ATTENDANCE_CHANGED.
    """
    lesson = attendance.lesson
    if lesson is None:
        raise NotFound("LESSON_NOT_FOUND", "no such lesson in the course")
    changes = list_changes(attendance, absences)
    if lesson.state != LessonState.HELD:
        raise FailedPrecondition("LESSON_NOT_HELD", "absences go to a recorded lesson; record it first")
    if attendance.is_closed:
        raise FailedPrecondition("PERIOD_CLOSED", "the period of the lesson is closed")
    if strangers := {absence.student_id for absence in absences} - attendance.member_ids:
        raise FailedPrecondition(
            "STUDENT_NOT_IN_COURSE",
            "a student was not in the course on the day of the lesson",
            {"student_id": str(min(strangers))},
        )
    if etag != lesson.attendance_etag:
        raise Aborted("ATTENDANCE_CHANGED", "another hand recorded the attendance since its etag; read it again")
    return replace(lesson, attendance_revision=lesson.attendance_revision + 1), changes


def list_changes(attendance: LessonAttendance, absences: Sequence[Absence]) -> list[Absence]:
    """What absences change of what stands; who is no longer named becomes present. Raises InvalidArgument ABSENCE_REPEATED."""
    named = {absence.student_id: absence.code for absence in absences}
    if len(named) < len(absences):
        raise InvalidArgument("ABSENCE_REPEATED", "the same student stands twice in the request")
    wanted = dict.fromkeys(attendance.codes, AbsenceCode.PRESENT) | named
    return [
        Absence(student_id, code)
        for student_id, code in wanted.items()
        if not _says_the_same(code, attendance.codes.get(student_id, AbsenceCode.PRESENT), sees_illness=attendance.sees_illness)
    ]


def _says_the_same(code: AbsenceCode, before: AbsenceCode, *, sees_illness: bool) -> bool:
    # Who reads У where Б is kept sends it back with the rest: the illness stays. Who reads Б means what is sent.
    return code == before or (not sees_illness and code == AbsenceCode.EXCUSED and before == AbsenceCode.ILL)


def show_code(code: AbsenceCode, sees_illness: bool) -> AbsenceCode:
    """What a reader is shown: Б is У except to family, class teacher and deputy (decision 11)."""
    return AbsenceCode.EXCUSED if code == AbsenceCode.ILL and not sees_illness else code
