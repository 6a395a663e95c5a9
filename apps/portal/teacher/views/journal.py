"""A course's journal as the page shows it: students x lessons on the left, topics and homework on the right."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from apps.portal import dates
from apps.portal.codes import ABSENCES, AbsenceView
from apps.portal.words import name_class
from chassis import words
from chassis.names import build_list_name
from diary.journal.v1 import course_pb2, lesson_pb2, mark_pb2
from diary.journal.v1 import journal_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class CellView:
    """A student in a lesson."""

    marks: tuple[mark_pb2.JournalMark, ...]
    absence: AbsenceView | None


@dataclass(frozen=True, slots=True)
class RowView:
    """A student's row, one cell a lesson. `short_name` is without the patronymic."""

    number: int
    name: str
    short_name: str
    cells: tuple[CellView, ...]


@dataclass(frozen=True, slots=True)
class LessonColumn:
    """A lesson at the head of the grid and in the list of topics."""

    lesson_id: str
    lesson_date: str
    day: str
    month: str
    label: str
    number: int
    topic: str
    homework: str
    work_type: str
    is_held: bool
    may_open: bool
    is_waiting_today: bool


@dataclass(frozen=True, slots=True)
class JournalView:
    """The page of a course and period. `months` are names with the number of their lessons."""

    title: str
    group: str
    teachers: str
    period: course_pb2.Period
    periods: tuple[course_pb2.Period, ...]
    months: tuple[tuple[str, int], ...]
    columns: tuple[LessonColumn, ...]
    rows: tuple[RowView, ...]
    may_record: bool
    sees_illness: bool


@dataclass(frozen=True, slots=True)
class CourseGroup:
    """Journals of one class."""

    title: str
    courses: tuple[course_pb2.Course, ...]


_NO_CELL = CellView((), None)


def build_journal(page: pb.GetJournalPageResponse, today: date) -> JournalView:
    """The journal of an answer; lessons after `today` cannot be opened for recording."""
    work_types = {work_type.work_type_id: work_type.name for work_type in page.work_types}
    columns = tuple(_build_column(lesson, work_types, today, page.may_record) for lesson in page.lessons)
    cells = _build_cells(page)
    listed = Counter(build_list_name(student.name) for student in page.students)
    rows = tuple(
        RowView(
            number,
            student.display_name,
            _name_row(student, listed),
            tuple(cells.get((student.student_id, column.lesson_id), _NO_CELL) for column in columns),
        )
        for number, student in enumerate(page.students, start=1)
    )
    months = tuple((name, len(list(lessons))) for name, lessons in groupby(column.month for column in columns))
    return JournalView(
        title=page.course.subject_name,
        group=course_group(page.course),
        teachers=", ".join(page.course.teacher_names),
        period=page.period,
        periods=tuple(page.periods),
        months=months,
        columns=columns,
        rows=rows,
        may_record=page.may_record,
        sees_illness=page.sees_illness,
    )


def _name_row(student: lesson_pb2.JournalStudent, listed: Counter[str]) -> str:
    """Without the patronymic, unless two of the list differ by it alone."""
    name = build_list_name(student.name)
    return name if name and listed[name] == 1 else student.display_name


def course_group(course: course_pb2.Course) -> str:
    """8-А, or 8-А, 1 подгруппа."""
    return ", ".join(part for part in (course.class_name, course.group_name) if part)


def build_courses(courses: Iterable[course_pb2.Course], *, is_own: bool) -> tuple[CourseGroup, ...]:
    """Journals by class, in the order they came: those that the caller teaches, or those of colleagues."""
    courses = [course for course in courses if course.is_own == is_own]
    return tuple(
        CourseGroup(name_class(name) or "Сборные группы", tuple(group))
        for name, group in groupby(courses, key=lambda course: course.class_name)
    )


def find_period(page: pb.GetJournalPageResponse, day: date) -> str:
    """Id of the period of a day; empty when it is the page's own, or none."""
    iso = day.isoformat()
    if page.period.start_date <= iso <= page.period.end_date:
        return ""
    return next((period.period_id for period in page.periods if period.start_date <= iso <= period.end_date), "")


def _build_column(lesson: lesson_pb2.Lesson, work_types: dict[str, str], today: date, may_record: bool) -> LessonColumn:
    day, is_held = date.fromisoformat(lesson.lesson_date), lesson.state == lesson_pb2.LESSON_STATE_HELD
    return LessonColumn(
        lesson_id=lesson.lesson_id,
        lesson_date=lesson.lesson_date,
        day=f"{day.day:02}",
        month=words.month(day),
        label=dates.day_month(day),
        number=lesson.lesson_number,
        topic=lesson.topic,
        homework=lesson.homework,
        work_type=work_types.get(lesson.work_type_id, ""),
        is_held=is_held,
        may_open=may_record and day <= today,
        is_waiting_today=not is_held and day == today,
    )


def _build_cells(page: pb.GetJournalPageResponse) -> dict[tuple[str, str], CellView]:
    marks: dict[tuple[str, str], list[mark_pb2.JournalMark]] = {}
    for mark in page.marks:
        marks.setdefault((mark.student_id, mark.lesson_id), []).append(mark)
    absences = {(absence.student_id, absence.lesson_id): ABSENCES.get(absence.code) for absence in page.absences}
    return {key: CellView(tuple(marks.get(key, ())), absences.get(key)) for key in marks.keys() | absences.keys()}
