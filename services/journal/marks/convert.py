"""Messages of JournalService and values of the rules."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from chassis.errors import InvalidArgument
from diary.journal.v1 import diary_service_pb2, events_pb2, journal_service_pb2
from services.journal.curriculum.rules import Period
from services.journal.lessons.rules.attendance import Absence, AbsenceCode, show_code
from services.journal.lessons.rules.lessons import Lesson, LessonRecord
from services.journal.marks.rules.class_record import ClassCell, ClassRecord, RecordedClass
from services.journal.marks.rules.history import Batch
from services.journal.marks.rules.journal_page import ListedCourse, MarkForLetter, Page, PageFrame
from services.journal.marks.rules.marks import Cell, Outcome, Revision
from services.journal.roster.convert import write_name


def read_cells(messages: Iterable[journal_service_pb2.MarkCell]) -> list[Cell]:
    """The cells of RecordMarks."""
    return [
        Cell(
            UUID(cell.mark_id),
            UUID(cell.lesson_id),
            UUID(cell.student_id),
            cell.value if cell.HasField("value") else None,
            cell.expected_revision,
        )
        for cell in messages
    ]


def write_outcomes(outcomes: Iterable[Outcome]) -> journal_service_pb2.RecordMarksResponse:
    """The answer of RecordMarks."""
    return journal_service_pb2.RecordMarksResponse(outcomes=_write_outcomes(outcomes))


def _write_outcomes(outcomes: Iterable[Outcome]) -> list[journal_service_pb2.MarkCellOutcome]:
    return [
        journal_service_pb2.MarkCellOutcome(
            mark_id=str(outcome.mark_id),
            state=outcome.state.value,  # type: ignore[arg-type]  # a number of the enum
            revision=outcome.revision,
            value=outcome.value,
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
        value=revision.value,
        revision=revision.revision,
    )


def write_correction(batch: Batch) -> journal_service_pb2.CorrectMarkResponse:
    """The answer of CorrectMark."""
    revision = batch.rows[0].revision
    answer = journal_service_pb2.CorrectMarkResponse(
        mark=journal_service_pb2.JournalMark(
            mark_id=str(revision.mark_id),
            lesson_id=str(revision.lesson_id),
            student_id=str(revision.student_id),
            value=revision.value or 0,
            revision=revision.revision,
        )
    )
    answer.correct_time.FromDatetime(batch.header.create_time)
    return answer


def read_record(request: journal_service_pb2.RecordLessonRequest | journal_service_pb2.RecordClassRequest) -> LessonRecord:
    """What is recorded of a lesson. Raises InvalidArgument DATE_INVALID."""
    try:
        lesson_date = date.fromisoformat(request.lesson_date)
    except ValueError as error:
        raise InvalidArgument("DATE_INVALID", "lesson_date is a day that does not exist") from error
    return LessonRecord(
        lesson_date=lesson_date,
        lesson_number=request.lesson_number,
        topic=request.topic,
        homework=request.homework,
        work_type_id=UUID(request.work_type_id) if request.work_type_id else None,
        etag=request.etag,
    )


def write_lesson(lesson: Lesson) -> journal_service_pb2.Lesson:
    """A lesson."""
    return journal_service_pb2.Lesson(
        lesson_id=str(lesson.lesson_id),
        course_id=str(lesson.course_id),
        lesson_date=lesson.lesson_date.isoformat(),
        lesson_number=lesson.lesson_number,
        state=lesson.state.value,  # type: ignore[arg-type]  # a number of the enum
        topic=lesson.topic,
        homework=lesson.homework,
        work_type_id=str(lesson.work_type_id or ""),
        etag=lesson.etag,
        attendance_etag=lesson.attendance_etag,
    )


def write_lesson_recorded(school_id: UUID, class_id: UUID | None, lesson: Lesson) -> events_pb2.LessonRecorded:
    """The event of a recorded lesson."""
    return events_pb2.LessonRecorded(
        school_id=str(school_id),
        course_id=str(lesson.course_id),
        lesson_id=str(lesson.lesson_id),
        class_id=str(class_id or ""),
        lesson_date=lesson.lesson_date.isoformat(),
    )


def write_lesson_retracted(school_id: UUID, class_id: UUID | None, lesson: Lesson) -> events_pb2.LessonRetracted:
    """The event of a withdrawn lesson; its reason is in no event."""
    return events_pb2.LessonRetracted(
        school_id=str(school_id),
        course_id=str(lesson.course_id),
        lesson_id=str(lesson.lesson_id),
        class_id=str(class_id or ""),
        lesson_date=lesson.lesson_date.isoformat(),
    )


def read_absences(messages: Iterable[journal_service_pb2.AbsenceCell]) -> list[Absence]:
    """The absences of RecordAttendance."""
    return [Absence(UUID(message.student_id), AbsenceCode(message.code)) for message in messages]


def write_attendance_recorded(school_id: UUID, lesson: Lesson, absences: Iterable[Absence]) -> events_pb2.AttendanceRecorded:
    """The event of recorded attendance: who was absent, without codes."""
    return events_pb2.AttendanceRecorded(
        school_id=str(school_id),
        course_id=str(lesson.course_id),
        lesson_id=str(lesson.lesson_id),
        student_ids=[str(absence.student_id) for absence in absences],
    )


def read_class(request: journal_service_pb2.RecordClassRequest) -> ClassRecord:
    """What RecordClass records. Raises InvalidArgument DATE_INVALID."""
    cells = [
        ClassCell(
            UUID(cell.mark_id),
            UUID(cell.student_id),
            cell.value if cell.HasField("value") else None,
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


def write_course(course: ListedCourse) -> journal_service_pb2.Course:
    """A course."""
    return journal_service_pb2.Course(
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
            journal_service_pb2.WorkType(work_type_id=str(kind.work_type_id), name=kind.name, weight=kind.weight)
            for kind in frame.work_types
        ],
        students=[
            journal_service_pb2.JournalStudent(
                student_id=str(student.student_id), display_name=student.display_name, name=write_name(student.name)
            )
            for student in page.students
        ],
        lessons=[write_lesson(lesson) for lesson in page.lessons],
        marks=[
            journal_service_pb2.JournalMark(
                mark_id=str(mark.mark_id),
                lesson_id=str(mark.lesson_id),
                student_id=str(mark.student_id),
                value=mark.value,
                revision=mark.revision,
            )
            for mark in page.marks
        ],
        absences=[
            journal_service_pb2.JournalAbsence(
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


def _write_period(period: Period) -> journal_service_pb2.Period:
    return journal_service_pb2.Period(
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
            diary_service_pb2.MarkForLetter(
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
