"""A class's week on paper: each student's own and nothing else (Clause R7)."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.journal.diary.rules.class_week import (
    Absence,
    ClassRecords,
    Correction,
    HeldLesson,
    ListedStudent,
    Membership,
    Revision,
    build_class_week,
    find_mean,
    place_in_period,
)
from services.journal.lessons.rules.attendance import AbsenceCode

MONDAY = date(2026, 11, 16)
ANNA, BORIS = UUID(int=1), UUID(int=2)
ALGEBRA, TALKS = UUID(int=10), UUID(int=11)
STUDENTS = [ListedStudent(ANNA, "Абрамова Анна", None), ListedStudent(BORIS, "Белов Борис", None)]


def _membership(student: UUID, course: UUID = ALGEBRA, start: date = date(2026, 9, 1), end: date | None = None) -> Membership:
    return Membership(student, course, start, end, "Алгебра" if course == ALGEBRA else "Разговоры", course == ALGEBRA)


def _revision(student: UUID, mark: UUID, revision: int, value: int | None, **changes: Any) -> Revision:
    made = Revision(student, ALGEBRA, mark, revision, MONDAY, value, "", True, 100, "устный ответ", "Квадратные уравнения")
    return made._replace(**changes)


_marks = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 1000)), min_size=1)


@given(_marks)
def test_a_mean_lies_between_the_lowest_and_the_highest_mark(marks: list[tuple[int, int]]) -> None:
    values = [value for value, _ in marks]
    mean = find_mean(marks)
    assert mean is not None
    assert 100 * min(values) <= mean <= 100 * max(values)


@given(_marks, st.integers(1, 9))
def test_a_mean_is_the_same_in_any_order_and_unit_of_weights(marks: list[tuple[int, int]], unit: int) -> None:
    scaled = [(value, weight * unit) for value, weight in reversed(marks)]
    assert find_mean(scaled) == find_mean(marks)


def test_a_mean_is_weighted_and_halves_go_up() -> None:
    assert find_mean([(5, 100), (2, 200)]) == 300
    assert find_mean([(4, 100)] * 7 + [(5, 100)]) == 413  # 4.125
    assert find_mean([]) is None


@given(st.lists(st.tuples(st.sampled_from([ANNA, BORIS]), st.integers(1, 5)), max_size=12))
def test_what_a_student_has_does_not_depend_on_the_others(drawn: list[tuple[UUID, int]]) -> None:
    revisions = [_revision(student, UUID(int=100 + n), 1, value) for n, (student, value) in enumerate(drawn)]
    lesson = HeldLesson(uuid4(), ALGEBRA, MONDAY, "Квадратные уравнения")
    memberships = [_membership(ANNA), _membership(BORIS)]
    whole = build_class_week(STUDENTS, ClassRecords(memberships, [lesson], revisions, []), MONDAY)
    own = [revision for revision in revisions if revision.student_id == ANNA]
    alone = build_class_week(STUDENTS[:1], ClassRecords(memberships[:1], [lesson], own, []), MONDAY)
    assert whole[0] == alone[0]
    assert [mark.value for mark in whole[1].subjects[0].marks] == [value for student, value in drawn if student == BORIS]


def test_a_correction_of_the_week_with_a_reason_is_told_and_another_is_not() -> None:
    mark, slip, old = UUID(int=100), UUID(int=101), UUID(int=102)
    revisions = [
        _revision(ANNA, mark, 1, 3),
        _revision(ANNA, mark, 2, 4, reason="пересдача"),
        _revision(ANNA, slip, 1, 3),
        _revision(ANNA, slip, 2, 5),
        _revision(ANNA, old, 1, 2, lesson_date=MONDAY - timedelta(days=14), is_of_week=False),
        _revision(ANNA, old, 2, 3, lesson_date=MONDAY - timedelta(days=14), is_of_week=False, reason="ошибка"),
    ]
    [anna] = build_class_week(STUDENTS[:1], ClassRecords([_membership(ANNA)], [], revisions, []), MONDAY)
    assert anna.subjects[0].corrections == [Correction(MONDAY, 3, 4, "пересдача")]
    assert [mark.value for mark in anna.subjects[0].marks] == [4, 5]
    assert anna.subjects[0].mean_hundredths == 400  # of 4, 5 and the old 3


def test_a_mark_taken_back_is_neither_shown_nor_counted() -> None:
    mark = UUID(int=100)
    revisions = [_revision(ANNA, mark, 1, 2), _revision(ANNA, mark, 2, None, reason="поставлена по ошибке")]
    [anna] = build_class_week(STUDENTS[:1], ClassRecords([_membership(ANNA)], [], revisions, []), MONDAY)
    assert list(anna.subjects[0].marks) == []
    assert anna.subjects[0].mean_hundredths is None
    assert anna.subjects[0].corrections == [Correction(MONDAY, 2, None, "поставлена по ошибке")]


def test_lessons_before_a_student_came_are_not_missed_by_the_student() -> None:
    lessons = [HeldLesson(UUID(int=200 + n), ALGEBRA, MONDAY + timedelta(days=n), f"Тема {n}") for n in range(4)]
    absences = [
        Absence(ANNA, lessons[0].lesson_id, 1),
        Absence(ANNA, lessons[2].lesson_id, 3),
        Absence(ANNA, lessons[3].lesson_id, 4),
    ]
    came = _membership(ANNA, start=MONDAY + timedelta(days=1))
    [anna] = build_class_week(STUDENTS[:1], ClassRecords([came], lessons, [], absences), MONDAY)
    assert (anna.subjects[0].lesson_count, anna.subjects[0].missed_count) == (3, 1)
    assert {code.name: count for code, count in anna.absences.items()} == {"ABSENT": 0, "EXCUSED": 0, "ILL": 1, "LATE": 1}
    assert AbsenceCode.PRESENT not in anna.absences


def test_topics_are_told_where_there_are_no_marks() -> None:
    lessons = [HeldLesson(uuid4(), course, MONDAY, "Дружба") for course in (TALKS, TALKS, ALGEBRA)]
    memberships = [_membership(ANNA), _membership(ANNA, TALKS)]
    [anna] = build_class_week(STUDENTS[:1], ClassRecords(memberships, lessons, [], []), MONDAY)
    assert [list(subject.topics) for subject in anna.subjects] == [[], ["Дружба"]]


def test_the_week_of_a_period_is_counted_by_calendar_weeks() -> None:
    place = place_in_period("2 четверть", date(2026, 11, 5), date(2026, 12, 28), MONDAY)
    assert (place.week, place.week_count) == (3, 9)
