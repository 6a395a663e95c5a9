"""Laws of the timetable, of periods and of weeks."""

from collections import Counter
from collections.abc import Hashable
from datetime import date, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from services.journal.curriculum.rules import (
    PeriodKind,
    choose_common_kind,
    choose_period_kind,
    find_current_period,
    find_period,
    plan_periods,
    plan_work_types,
)
from services.journal.diary.rules.weeks import find_monday, read_week, write_week
from services.journal.roster.rules import build_class_key, build_name_key
from services.journal.seed.timetable import Slot, Wish, lay_out_lessons, lay_out_week

START, END = date(2026, 9, 1), date(2027, 5, 26)
SCHOOL = UUID(int=7)


@st.composite
def wishes(draw: st.DrawFn) -> list[Wish]:
    """Courses of three classes with nine teachers: of the whole class, of its halves by two of them, of one half."""
    made: list[Wish] = []

    def add(class_number: int, subject: int, hours: int, teacher: int, *pupils: str) -> None:
        course_id = UUID(int=len(made) + 1)
        made.append(Wish(course_id, hours, frozenset(pupils), frozenset([teacher]), course_id, class_number, subject))

    for class_number in range(3):
        one, other = f"{class_number}/1", f"{class_number}/2"
        for subject in range(draw(st.integers(1, 4))):
            hours, teacher = draw(st.integers(1, 5)), draw(st.integers(1, 9))
            match draw(st.integers(1, 4)):
                case 1:
                    add(class_number, subject, hours, teacher, one)
                    add(class_number, subject, hours, draw(st.integers(1, 9)), other)
                case 2:
                    add(class_number, subject, hours, teacher, draw(st.sampled_from([one, other])))
                case _:
                    add(class_number, subject, hours, teacher, one, other)
    return made


def lay_out(asked: list[Wish]) -> list[Slot]:
    return lay_out_week(asked, START, END, Random(1))


def wish(number: int, pupils: set[str], teachers: set[str], **other: Any) -> Wish:
    """Two hours of a course of the only class."""
    course_id = UUID(int=number)
    asked = {"hours": 2, "room": course_id, "of_class": "class", "subject": number, **other}
    return Wish(course_id, pupils=frozenset(pupils), teachers=frozenset(teachers), **asked)


@given(wishes())
def test_no_student_is_in_two_places_at_once_and_none_has_a_gap(asked: list[Wish]) -> None:
    pupils = {wish.course_id: wish.pupils for wish in asked}
    days: dict[tuple[Hashable, int], list[int]] = {}
    for slot in lay_out(asked):
        for who in pupils[slot.course_id]:
            days.setdefault((who, slot.weekday), []).append(slot.lesson_number)
    assert all(sorted(numbers) == list(range(1, len(numbers) + 1)) for numbers in days.values())


@given(wishes())
def test_every_hour_finds_a_place_while_the_week_has_any(asked: list[Wish]) -> None:
    hours = Counter(slot.course_id for slot in lay_out(asked))
    assert hours == {wish.course_id: wish.hours for wish in asked}


@given(wishes())
def test_a_course_comes_once_a_day(asked: list[Wish]) -> None:
    days = Counter((slot.course_id, slot.weekday) for slot in lay_out(asked))
    assert max(days.values()) == 1


@settings(max_examples=20)
@given(wishes())
def test_the_same_random_numbers_give_the_same_week(asked: list[Wish]) -> None:
    assert lay_out(asked) == lay_out(asked)


def test_no_teacher_is_in_two_places_where_the_week_has_room() -> None:
    """Four classes with six lessons a day, of ten teachers: each has three hours in each class."""
    teachers = {
        (of_class, subject): wish(10 * of_class + subject + 1, {f"{of_class}"}, {f"{subject}"}, hours=3, of_class=of_class)
        for of_class in range(4)
        for subject in range(10)
    }
    held = {one.course_id: one.teachers for one in teachers.values()}
    busy = Counter((*held[slot.course_id], slot.weekday, slot.lesson_number) for slot in lay_out([*teachers.values()]))
    assert max(busy.values()) == 1


def test_what_begins_the_week_is_mondays_first_lesson_in_every_class() -> None:
    asked = [wish(of_class * 10 + n, {f"{of_class}"}, {"one"}, of_class=of_class) for of_class in range(3) for n in range(1, 4)]
    asked += [wish(100 + k, {f"{k}"}, {f"of {k}"}, hours=1, of_class=k, is_first=True) for k in range(3)]
    first = {slot.course_id for slot in lay_out(asked) if (slot.weekday, slot.lesson_number) == (1, 1)}
    assert first == {UUID(int=100 + k) for k in range(3)}


def test_two_groups_of_a_class_with_two_teachers_go_at_the_same_time() -> None:
    groups = [wish(number, {f"half {number}"}, {f"{number}"}, subject="English") for number in (1, 2)]
    places: dict[UUID, list[tuple[int, int]]] = {}
    for slot in lay_out(groups):
        places.setdefault(slot.course_id, []).append((slot.weekday, slot.lesson_number))
    assert places[UUID(int=1)] == places[UUID(int=2)]


def test_two_grades_in_one_room_share_their_teacher_and_one_goes_home_earlier() -> None:
    grades = [wish(number, {f"{number}"}, {"teacher"}, hours=5, room="room", subject="Maths") for number in (1, 2)]
    alone = wish(3, {"2"}, {"other"}, room="room")
    slots = lay_out([alone, *grades])
    assert {slot.lesson_number for slot in slots if slot.course_id != alone.course_id} == {1}
    assert [slot.lesson_number for slot in slots if slot.course_id == alone.course_id] == [2, 2]


@given(wishes(), st.dates(START, END), st.integers(0, 60), st.sets(st.dates(START, END), max_size=5))
def test_lessons_fall_on_their_weekdays_within_the_days_and_on_no_day_off(
    asked: list[Wish], first: date, length: int, days_off: set[date]
) -> None:
    slots = lay_out(asked)
    places = {(slot.course_id, slot.weekday, slot.lesson_number) for slot in slots}
    last = first + timedelta(days=length)
    lessons = list(lay_out_lessons(slots, first, last, days_off))
    assert all((one.course_id, one.lesson_date.isoweekday(), one.lesson_number) in places for one in lessons)
    assert all(first <= one.lesson_date <= min(last, END) and one.lesson_date not in days_off for one in lessons)
    assert len(set(lessons)) == len(lessons)
    assert lessons == sorted(lessons, key=lambda one: (one.lesson_date, one.lesson_number, one.course_id))


@given(st.integers(2020, 2040))
def test_quarters_lie_in_the_year_in_order_and_apart(year: int) -> None:
    start, end = date(year, 9, 1), date(year + 1, 5, 31)
    quarters = plan_periods(SCHOOL, PeriodKind.QUARTER, start, end)
    assert len(quarters) == 4
    assert all(one.end_date < other.start_date for one, other in pairwise(quarters))
    assert start <= quarters[0].start_date
    assert quarters[-1].end_date <= end
    assert plan_periods(SCHOOL, PeriodKind.QUARTER, start, end) == quarters


@given(st.integers(2020, 2040))
def test_a_half_year_is_two_quarters_and_the_vacation_between(year: int) -> None:
    first, second, third, fourth = plan_periods(SCHOOL, PeriodKind.QUARTER, date(year, 9, 1), date(year + 1, 5, 31))
    halves = plan_periods(SCHOOL, PeriodKind.HALF_YEAR, date(year, 9, 1), date(year + 1, 5, 31))
    assert [(half.name, half.start_date, half.end_date) for half in halves] == [
        ("1 полугодие", first.start_date, second.end_date),
        ("2 полугодие", third.start_date, fourth.end_date),
    ]
    assert len({period.period_id for period in (first, second, third, fourth, *halves)}) == 6


@pytest.mark.parametrize(
    ("grades", "kind"),
    [
        ([1], PeriodKind.QUARTER),
        ([9], PeriodKind.QUARTER),
        ([10], PeriodKind.HALF_YEAR),
        ([11], PeriodKind.HALF_YEAR),
        ([10, 11], PeriodKind.HALF_YEAR),
        ([9, 10], PeriodKind.QUARTER),
        ([], PeriodKind.QUARTER),
    ],
)
def test_a_class_goes_by_its_grades(grades: list[int], kind: PeriodKind) -> None:
    assert choose_period_kind(grades) == kind


@given(st.sets(st.sampled_from(PeriodKind)))
def test_a_course_of_several_classes_goes_by_the_shortest(kinds: set[PeriodKind]) -> None:
    lengths = {
        PeriodKind.MODULE: 5,
        PeriodKind.QUARTER: 8,
        PeriodKind.TRIMESTER: 11,
        PeriodKind.HALF_YEAR: 16,
        PeriodKind.YEAR: 34,
    }
    shortest = min(kinds, key=lambda kind: lengths[kind], default=PeriodKind.QUARTER)
    assert choose_common_kind(kinds) == shortest


def test_a_vacation_lies_in_no_period_and_the_last_begun_is_shown() -> None:
    quarters = plan_periods(SCHOOL, PeriodKind.QUARTER, START, END)
    holiday = date(2026, 10, 30)
    assert find_period(quarters, holiday) is None
    current = find_current_period(quarters, holiday)
    assert current is not None
    assert current.name == "1 четверть"
    assert find_current_period(quarters, date(2026, 8, 1)) == quarters[0]
    assert find_current_period([], holiday) is None


def test_work_types_have_names_of_their_own_and_weights_about_one() -> None:
    kinds = plan_work_types(SCHOOL)
    assert len({kind.name for kind in kinds}) == len({kind.work_type_id for kind in kinds}) == len(kinds)
    assert {kind.name: kind.weight for kind in kinds}["контрольная работа"] == 200


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_week_is_read_back_as_its_monday(day: date) -> None:
    assert read_week(write_week(day)) == find_monday(day)


@pytest.mark.parametrize("week", ["2026-W54", "2026-W00", "2025-W53", "0000-W01"])
def test_a_week_that_is_none_is_refused(week: str) -> None:
    with pytest.raises(InvalidArgument, match="WEEK_INVALID"):
        read_week(week)


def test_names_sort_as_the_alphabet_and_classes_by_grade() -> None:
    assert sorted(["Жуков", "Ёлкин", "Ежов", "Еремин", "ёжик"], key=build_name_key) == [
        "Ежов",
        "Еремин",
        "ёжик",
        "Ёлкин",
        "Жуков",
    ]
    assert sorted([("10-А", (10,)), ("2-Б", (2,)), ("1+3", (1, 3))], key=lambda one: build_class_key(*one))[0][0] == "1+3"
