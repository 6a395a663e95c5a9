"""Rules of recording marks: laws that hold for every class and every request."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import Aborted, InvalidArgument
from services.journal.marks.rules.marks import (
    NUMBERS,
    Cell,
    CellState,
    CurrentMark,
    MarkedCourse,
    MarkedLesson,
    MarkKind,
    MarkValue,
    correct_mark,
    five_point,
    record_marks,
)
from services.journal.roster.rules import Member

TODAY = date(2026, 11, 18)
NOON = datetime(2026, 11, 18, 9, tzinfo=UTC)
TEACHER, OTHER = UUID(int=1), UUID(int=2)
LESSONS = [UUID(int=100 + number) for number in range(3)]
STUDENTS = [UUID(int=200 + number) for number in range(4)]
MARKS = [UUID(int=300 + number) for number in range(5)]


def values(least: int, most: int) -> st.SearchStrategy[MarkValue | None]:
    """Five-point marks mostly, and what other kinds say by the same numbers."""
    return st.builds(MarkValue, st.just(MarkKind.FIVE_POINT) | st.sampled_from(MarkKind), st.integers(least, most)) | st.none()


lessons = st.builds(MarkedLesson, st.dates(date(2026, 11, 5), TODAY), is_held=st.booleans(), is_closed=st.booleans())
current_marks = st.builds(
    CurrentMark,
    st.just(MARKS[0]),
    st.sampled_from(LESSONS),
    st.sampled_from(STUDENTS),
    values(2, 5),
    st.integers(1, 4),
    st.sampled_from([TEACHER, OTHER]),
    st.sampled_from([NOON, datetime(2026, 11, 17, 9, tzinfo=UTC)]),
)


@st.composite
def courses(draw: st.DrawFn) -> MarkedCourse:
    """A course of which some lessons, members and marks are known."""
    known = {mark_id: draw(current_marks) for mark_id in draw(st.sets(st.sampled_from(MARKS)))}
    return MarkedCourse(
        course_id=UUID(int=9),
        is_marked=draw(st.booleans()),
        mark_min=draw(st.sampled_from([1, 2])),
        time_zone="Europe/Simferopol",
        batch_count=0,
        lessons={lesson_id: draw(lessons) for lesson_id in LESSONS[:2]},
        members=[Member(student, draw(st.dates(date(2026, 9, 1), TODAY)), None) for student in STUDENTS[:3]],
        marks={
            mark_id: CurrentMark(mark_id, m.lesson_id, m.student_id, m.value, m.revision, m.account_id, m.first_time)
            for mark_id, m in known.items()
        },
    )


cells = st.builds(
    Cell,
    st.sampled_from(MARKS),
    st.sampled_from(LESSONS),
    st.sampled_from(STUDENTS),
    values(-1, 8),
    st.integers(0, 4),
)
requests = st.lists(cells, min_size=1, max_size=5, unique_by=lambda cell: cell.mark_id)


@settings(max_examples=40)
@given(courses(), requests)
def test_each_cell_has_one_outcome_in_order(course: MarkedCourse, request: list[Cell]) -> None:
    outcomes, _ = record_marks(course, request, TEACHER, TODAY)
    assert [outcome.mark_id for outcome in outcomes] == [cell.mark_id for cell in request]


@settings(max_examples=40)
@given(courses(), requests)
def test_a_revision_is_written_for_saved_cells_alone_and_is_the_next(course: MarkedCourse, request: list[Cell]) -> None:
    outcomes, revisions = record_marks(course, request, TEACHER, TODAY)
    saved = {outcome.mark_id: outcome for outcome in outcomes if outcome.state is CellState.SAVED}
    for revision in revisions:
        before = course.marks.get(revision.mark_id)
        assert revision.revision == (before.revision + 1 if before else 1)
        assert (saved[revision.mark_id].revision, saved[revision.mark_id].value) == (revision.revision, revision.value)


@settings(max_examples=40)
@given(courses(), requests)
def test_what_is_written_obeys_every_rule(course: MarkedCourse, request: list[Cell]) -> None:
    _, revisions = record_marks(course, request, TEACHER, TODAY)
    for revision in revisions:
        lesson = course.lessons[revision.lesson_id]
        assert course.is_marked
        assert lesson.is_held
        assert not lesson.is_closed
        assert revision.value is None or revision.value.kind == MarkKind.FIVE_POINT
        assert revision.value is None or course.mark_min <= revision.value.number <= 5
        assert any(m.student_id == revision.student_id and m.from_date <= lesson.lesson_date for m in course.members)
        assert revision.lesson_date == lesson.lesson_date


@settings(max_examples=40)
@given(courses(), requests)
def test_the_same_request_again_writes_nothing_and_says_saved(course: MarkedCourse, request: list[Cell]) -> None:
    outcomes, revisions = record_marks(course, request, TEACHER, TODAY)
    written = {
        r.mark_id: CurrentMark(r.mark_id, r.lesson_id, r.student_id, r.value, r.revision, TEACHER, NOON) for r in revisions
    }
    after = MarkedCourse(
        course.course_id,
        course.is_marked,
        course.mark_min,
        course.time_zone,
        1,
        course.lessons,
        course.members,
        {**course.marks, **written},
    )
    again, more = record_marks(after, request, TEACHER, TODAY)
    assert more == []
    assert [(o.state, o.revision, o.value) for o in again] == [(o.state, o.revision, o.value) for o in outcomes]


@settings(max_examples=40)
@given(courses(), requests)
def test_a_conflict_shows_what_stands(course: MarkedCourse, request: list[Cell]) -> None:
    outcomes, _ = record_marks(course, request, TEACHER, TODAY)
    for outcome in outcomes:
        if outcome.state is CellState.CONFLICT and outcome.revision:
            current = course.marks[outcome.mark_id]
            assert (outcome.revision, outcome.value) == (current.revision, current.value)
            assert outcome.is_own == (current.account_id == TEACHER)


@pytest.mark.parametrize("kind", [kind for kind in MarkKind if kind != MarkKind.FIVE_POINT])
def test_a_mark_of_another_kind_is_in_no_scale_of_today(kind: MarkKind) -> None:
    lesson = MarkedLesson(TODAY, is_held=True, is_closed=False)
    member = Member(STUDENTS[0], TODAY, None)
    course = MarkedCourse(UUID(int=9), True, 1, "Europe/Simferopol", 0, {LESSONS[0]: lesson}, [member], {})
    for number in (number for number in range(101) if number in NUMBERS[kind]):
        cell = Cell(MARKS[0], LESSONS[0], STUDENTS[0], MarkValue(kind, number), 0)
        [outcome], revisions = record_marks(course, [cell], TEACHER, TODAY)
        assert (outcome.state, outcome.reason, revisions) == (CellState.REFUSED, "MARK_NOT_IN_SCALE", [])


def test_a_mark_id_twice_fails_the_whole_request() -> None:
    course = MarkedCourse(UUID(int=9), True, 2, "Europe/Simferopol", 0, {}, [], {})
    cell = Cell(MARKS[0], LESSONS[0], STUDENTS[0], five_point(5), 0)
    with pytest.raises(InvalidArgument, match="CELL_REPEATED"):
        record_marks(course, [cell, cell], TEACHER, TODAY)


def test_a_correction_by_another_revision_tells_the_current_value() -> None:
    lesson = MarkedLesson(TODAY, is_held=True, is_closed=False)
    course = MarkedCourse(UUID(int=9), True, 2, "Europe/Simferopol", 0, {LESSONS[0]: lesson}, [], {})
    mark = CurrentMark(MARKS[0], LESSONS[0], STUDENTS[0], five_point(3), 4, OTHER, NOON)
    with pytest.raises(Aborted) as refusal:
        correct_mark(course, mark, five_point(5), 3, "пересдача")
    assert refusal.value.metadata == {"revision": "4", "value": "3"}


def test_a_conflict_with_the_own_hand_is_told_as_ones_own() -> None:
    lesson = MarkedLesson(TODAY, is_held=True, is_closed=False)
    member = Member(STUDENTS[0], TODAY, None)
    for account_id in (TEACHER, OTHER):
        mark = CurrentMark(MARKS[0], LESSONS[0], STUDENTS[0], five_point(3), 4, account_id, NOON)
        course = MarkedCourse(UUID(int=9), True, 2, "Europe/Simferopol", 0, {LESSONS[0]: lesson}, [member], {MARKS[0]: mark})
        [outcome], _ = record_marks(course, [Cell(MARKS[0], LESSONS[0], STUDENTS[0], five_point(5), 3)], TEACHER, TODAY)
        assert (outcome.state, outcome.is_own) == (CellState.CONFLICT, account_id == TEACHER)
