"""Rules of recording a class's lesson: it is its three parts, or nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import DiaryError
from services.journal.lessons.rules.attendance import Absence, AbsenceCode, LessonAttendance
from services.journal.lessons.rules.lessons import Lesson, LessonPlace, LessonRecord, LessonState
from services.journal.marks.rules.class_record import ClassCell, ClassPlace, ClassRecord, RecordedClass, record_class
from services.journal.marks.rules.marks import CurrentMark, MarkedCourse, five_point
from services.journal.roster.rules import Member

TODAY = date(2026, 11, 18)
NOON = datetime(2026, 11, 18, 9, tzinfo=UTC)
COURSE, LESSON, NEW, TEACHER = (UUID(int=number) for number in range(1, 5))
STUDENTS = [UUID(int=200 + number) for number in range(3)]
CODES = st.sampled_from([AbsenceCode.ABSENT, AbsenceCode.EXCUSED, AbsenceCode.ILL])
WORDS = st.sampled_from(["Корни", "Степени"])

absences = st.dictionaries(st.sampled_from(STUDENTS), CODES)


@st.composite
def places(draw: st.DrawFn) -> ClassPlace:
    """A place with or without a lesson; the third student is not in the course."""
    held = draw(st.booleans())
    standing = Lesson(
        lesson_id=LESSON,
        course_id=COURSE,
        lesson_date=TODAY,
        lesson_number=3,
        state=LessonState.HELD if held else LessonState.PLANNED,
        topic=draw(WORDS) if held else "",
        homework="",
        work_type_id=None,
        revision=draw(st.integers(0, 2)),
        attendance_revision=draw(st.integers(0, 2)) if held else 0,
    )
    lesson = draw(st.sampled_from([standing, None]))
    is_closed = draw(st.sampled_from([False, False, False, True]))
    codes = draw(absences) if lesson and lesson.attendance_revision else {}
    members = [Member(student, date(2026, 9, 1), None) for student in STUDENTS[:2]]
    return ClassPlace(
        LessonPlace(NEW, "Europe/Simferopol", is_closed, True, lesson, None),
        MarkedCourse(COURSE, True, 2, "Europe/Simferopol", 0, {}, members, {}),
        LessonAttendance(lesson, is_closed, set(STUDENTS[:2]), codes, draw(st.booleans())),
    )


@st.composite
def records(draw: st.DrawFn) -> ClassRecord:
    """A record with the etags of some moment."""
    values = st.integers(1, 6).map(five_point)
    cells = [ClassCell(UUID(int=300 + n), draw(st.sampled_from(STUDENTS)), draw(values), 0) for n in range(2)]
    lesson = LessonRecord(TODAY, 3, draw(WORDS), "", None, draw(st.sampled_from(["", "L0", "L1", "L2"])))
    named = [Absence(*pair) for pair in draw(absences).items()]
    return ClassRecord(lesson, cells, named, draw(st.sampled_from(["", "A1", "A2"])))


@settings(max_examples=200)
@given(places(), records(), st.sampled_from(["", "L1", "L9"]), st.sampled_from(["", "A1", "A9"]))
def test_what_was_recorded_and_is_sent_again_changes_nothing_whatever_its_etags(
    place: ClassPlace, record: ClassRecord, etag: str, attendance_etag: str
) -> None:
    try:
        recorded = record_class(place, record, TEACHER, TODAY)
    except DiaryError:
        return
    again = replace(record, lesson=replace(record.lesson, etag=etag), attendance_etag=attendance_etag)
    same = record_class(_after(place, recorded), again, TEACHER, TODAY)
    assert not same.is_changed
    assert same.lesson == recorded.lesson
    assert [outcome.state for outcome in same.outcomes] == [outcome.state for outcome in recorded.outcomes]


def _after(place: ClassPlace, recorded: RecordedClass) -> ClassPlace:
    codes = dict(place.attendance.codes) | {change.student_id: change.code for change in recorded.changes or ()}
    marks = {
        one.mark_id: CurrentMark(one.mark_id, one.lesson_id, one.student_id, one.value, one.revision, TEACHER, NOON)
        for one in recorded.revisions
    }
    return ClassPlace(
        replace(place.lesson, lesson=recorded.lesson),
        replace(place.course, marks=marks),
        replace(place.attendance, lesson=recorded.lesson, codes=codes),
    )


@settings(max_examples=200)
@given(places(), records())
def test_each_part_rises_by_one_where_it_changes_and_stays_where_not(place: ClassPlace, record: ClassRecord) -> None:
    try:
        recorded = record_class(place, record, TEACHER, TODAY)
    except DiaryError:
        return
    before = place.lesson.lesson
    revisions = (before.revision, before.attendance_revision) if before else (0, 0)
    rises = (recorded.is_lesson_changed, recorded.changes is not None)
    assert (recorded.lesson.revision - revisions[0], recorded.lesson.attendance_revision - revisions[1]) == rises
    assert {revision.lesson_id for revision in recorded.revisions} <= {recorded.lesson.lesson_id}


@pytest.mark.parametrize(
    ("changes", "reason"), [({"etag": "L7"}, "LESSON_CHANGED"), ({"lesson_date": date(2026, 11, 19)}, "LESSON_IN_FUTURE")]
)
def test_a_record_that_is_refused_refuses_the_whole(changes: dict[str, Any], reason: str) -> None:
    lesson = LessonPlace(NEW, "Europe/Simferopol", False, True, None, None)
    course = MarkedCourse(COURSE, True, 2, "Europe/Simferopol", 0, {}, [Member(STUDENTS[0], date(2026, 9, 1), None)], {})
    place = ClassPlace(lesson, course, LessonAttendance(None, False, {STUDENTS[0]}, {}, False))
    wanted = replace(LessonRecord(TODAY, 3, "Корни", "", None, ""), **changes)
    cells = [ClassCell(UUID(int=300), STUDENTS[0], five_point(5), 0)]
    with pytest.raises(DiaryError) as refused:
        record_class(place, ClassRecord(wanted, cells, [], ""), TEACHER, TODAY)
    assert refused.value.reason == reason
