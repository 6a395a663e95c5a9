"""Messages of JournalService and values of the rules."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from diary.journal.v1 import (
    course_pb2,
    diary_service_pb2,
    diary_week_pb2,
    events_pb2,
    journal_service_pb2,
    lesson_pb2,
    mark_pb2,
)
from services.journal.curriculum.rules import Period
from services.journal.lessons.convert import (
    read_absences,
    read_record,
    write_attendance_recorded,
    write_lesson,
    write_lesson_recorded,
)
from services.journal.lessons.rules.attendance import show_code
from services.journal.marks.rules.class_record import ClassCell, ClassRecord, RecordedClass
from services.journal.marks.rules.history import Batch
from services.journal.marks.rules.journal_page import ListedCourse, MarkForLetter, Page, PageFrame
from services.journal.marks.rules.marks import Cell, Outcome, Revision, five_point, show_number
from services.journal.roster.convert import write_name


def read_cells(messages: Iterable[mark_pb2.MarkCell]) -> list[Cell]:
    """The cells of RecordMarks."""
    return [
        Cell(
            UUID(cell.mark_id),
            UUID(cell.lesson_id),
            UUID(cell.student_id),
            five_point(cell.value if cell.HasField("value") else None),
            cell.expected_revision,
        )
        for cell in messages
    ]


def write_outcomes(outcomes: Iterable[Outcome]) -> journal_service_pb2.RecordMarksResponse:
    """The answer of RecordMarks."""
    return journal_service_pb2.RecordMarksResponse(outcomes=_write_outcomes(outcomes))


def _write_outcomes(outcomes: Iterable[Outcome]) -> list[mark_pb2.MarkCellOutcome]:
    return [
        mark_pb2.MarkCellOutcome(
            mark_id=str(outcome.mark_id),
            state=outcome.state.value,  # type: ignore[arg-type]  # a number of the enum
            revision=outcome.revision,
            value=show_number(outcome.value),
            reason=outcome.reason,
            is_own=outcome.is_own,
        )
        for outcome in outcomes
    ]


def write_marks_recorded(batch: Batch) -> events_pb2.MarksRecorded:
    """The event of a batch."""
    return events_pb2.MarksRecorded(
        school_id=str(batch.header.school_id),
        course_id=str(batch.header.course_id),
        batch_number=batch.header.batch_number,
        marks=[_write_recorded(row.revision) for row in batch.rows],
    )


def write_mark_corrected(batch: Batch) -> events_pb2.MarkCorrected:
    """The event of a correction; its reason is in no event."""
    return events_pb2.MarkCorrected(
        school_id=str(batch.header.school_id),
        course_id=str(batch.header.course_id),
        batch_number=batch.header.batch_number,
        mark=_write_recorded(batch.rows[0].revision),
    )


def _write_recorded(revision: Revision) -> events_pb2.RecordedMark:
    return events_pb2.RecordedMark(
        mark_id=str(revision.mark_id),
        lesson_id=str(revision.lesson_id),
        student_id=str(revision.student_id),
        value=show_number(revision.value),
        revision=revision.revision,
    )


def write_correction(batch: Batch) -> journal_service_pb2.CorrectMarkResponse:
    """The answer of CorrectMark."""
    revision = batch.rows[0].revision
    answer = journal_service_pb2.CorrectMarkResponse(
        mark=mark_pb2.JournalMark(
            mark_id=str(revision.mark_id),
            lesson_id=str(revision.lesson_id),
            student_id=str(revision.student_id),
            value=show_number(revision.value) or 0,
            revision=revision.revision,
        )
    )
    answer.correct_time.FromDatetime(batch.header.create_time)
    return answer


def read_class(request: journal_service_pb2.RecordClassRequest) -> ClassRecord:
    """What RecordClass records. Raises InvalidArgument DATE_INVALID."""
    cells = [
        ClassCell(
            UUID(cell.mark_id),
            UUID(cell.student_id),
            five_point(cell.value if cell.HasField("value") else None),
            cell.expected_revision,
        )
        for cell in request.marks
    ]
    return ClassRecord(read_record(request), cells, read_absences(request.absences), request.attendance_etag)


def write_class(recorded: RecordedClass) -> journal_service_pb2.RecordClassResponse:
    """The answer of RecordClass."""
    return journal_service_pb2.RecordClassResponse(
        lesson=write_lesson(recorded.lesson), outcomes=_write_outcomes(recorded.outcomes)
    )


def write_class_recorded(
    batch: Batch, class_id: UUID | None, record: ClassRecord, recorded: RecordedClass
) -> events_pb2.ClassRecorded:
    """The event of a class's recorded lesson: the parts of which something changed."""
    school_id, lesson = batch.header.school_id, recorded.lesson
    is_attendance_changed = recorded.changes is not None
    return events_pb2.ClassRecorded(
        lesson=write_lesson_recorded(school_id, class_id, lesson) if recorded.is_lesson_changed else None,
        marks=write_marks_recorded(batch) if batch.rows else None,
        attendance=write_attendance_recorded(school_id, lesson, record.absences) if is_attendance_changed else None,
    )


def write_course(course: ListedCourse) -> course_pb2.Course:
    """A course."""
    return course_pb2.Course(
        course_id=str(course.course_id),
        subject_name=course.subject_name,
        class_id=str(course.class_id or ""),
        class_name=course.class_name,
        group_name=course.group_name,
        teacher_names=course.teacher_names,
        is_marked=course.is_marked,
        is_own=course.is_own,
    )


def write_page(frame: PageFrame, period: Period, page: Page) -> journal_service_pb2.GetJournalPageResponse:
    """The page of a course and period."""
    return journal_service_pb2.GetJournalPageResponse(
        course=write_course(frame.course),
        period=_write_period(period),
        periods=[_write_period(other) for other in frame.periods],
        work_types=[
            course_pb2.WorkType(work_type_id=str(kind.work_type_id), name=kind.name, weight=kind.weight)
            for kind in frame.work_types
        ],
        students=[
            lesson_pb2.JournalStudent(
                student_id=str(student.student_id), display_name=student.display_name, name=write_name(student.name)
            )
            for student in page.students
        ],
        lessons=[write_lesson(lesson) for lesson in page.lessons],
        marks=[
            mark_pb2.JournalMark(
                mark_id=mark.mark_id,
                lesson_id=mark.lesson_id,
                student_id=mark.student_id,
                value=mark.value,
                revision=mark.revision,
            )
            for mark in page.marks
        ],
        absences=[
            lesson_pb2.JournalAbsence(
                lesson_id=str(absence.lesson_id),
                student_id=str(absence.student_id),
                code=show_code(absence.code, frame.sees_illness).value,  # type: ignore[arg-type]  # a number of the enum
            )
            for absence in page.absences
        ],
        may_record=frame.teaches,
        mark_min=frame.mark_min,
        sees_illness=frame.sees_illness,
    )


def _write_period(period: Period) -> course_pb2.Period:
    return course_pb2.Period(
        period_id=str(period.period_id),
        name=period.name,
        start_date=period.start_date.isoformat(),
        end_date=period.end_date.isoformat(),
        is_closed=period.is_closed,
    )


def write_marks_for_letters(marks: Sequence[MarkForLetter]) -> diary_service_pb2.BatchGetMarksResponse:
    """Marks with what letters say of them."""
    return diary_service_pb2.BatchGetMarksResponse(
        marks=[
            diary_week_pb2.MarkForLetter(
                mark_id=str(mark.mark_id),
                student_id=str(mark.student_id),
                student_name=mark.student_name,
                student=write_name(mark.name),
                subject_name=mark.subject_name,
                lesson_date=mark.lesson_date.isoformat(),
                topic=mark.topic,
                work_type_name=mark.work_type_name,
                value=mark.value,
                revision=mark.revision,
                previous_value=mark.previous_value,
                reason=mark.reason,
            )
            for mark in marks
        ]
    )
