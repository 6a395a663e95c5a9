"""Laws of the timetable, of quarters and of weeks."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from services.journal.rules.periods import find_current_period, find_period, plan_quarters, plan_work_types
from services.journal.rules.roster import build_class_key, build_name_key
from services.journal.rules.timetable import Wish, lay_out_lessons, lay_out_week
from services.journal.rules.weeks import find_monday, read_week, write_week

START, END = date(2026, 9, 1), date(2027, 5, 26)
SCHOOL = UUID(int=7)


@st.composite
def wishes(draw: st.DrawFn) -> list[Wish]:
    """Courses of three classes, some in two groups, with five teachers."""
    made: list[Wish] = []
    for class_number in range(3):
        for _ in range(draw(st.integers(1, 4))):
            halves = [f"{class_number}/1", f"{class_number}/2"]
            pupils = draw(st.sampled_from([halves, halves[:1], halves[1:]]))
            course_id = UUID(int=len(made) + 1)
            teacher = draw(st.integers(1, 5))
            made.append(Wish(course_id, draw(st.integers(1, 5)), frozenset(pupils), frozenset([teacher]), course_id))
    return made


@given(wishes())
def test_no_student_is_in_two_places_at_once(asked: list[Wish]) -> None:
    pupils = {wish.course_id: wish.pupils for wish in asked}
    slots = lay_out_week(asked, START, END)
    busy = Counter((who, slot.weekday, slot.lesson_number) for slot in slots for who in pupils[slot.course_id])
    assert max(busy.values()) == 1


@given(wishes())
def test_every_hour_finds_a_place_while_the_week_has_any(asked: list[Wish]) -> None:
    hours = Counter(slot.course_id for slot in lay_out_week(asked, START, END))
    assert hours == {wish.course_id: wish.hours for wish in asked}


@given(wishes())
def test_a_course_comes_twice_a_day_only_when_it_has_more_hours_than_days(asked: list[Wish]) -> None:
    few = {wish.course_id for wish in asked if wish.hours <= 2}
    days = Counter((slot.course_id, slot.weekday) for slot in lay_out_week(asked, START, END) if slot.course_id in few)
    assert all(count == 1 for count in days.values())


def test_two_groups_of_a_class_with_two_teachers_go_at_the_same_time() -> None:
    groups = [
        Wish(UUID(int=number), 2, frozenset([f"half {number}"]), frozenset([number]), UUID(int=number)) for number in (1, 2)
    ]
    places: dict[UUID, list[tuple[int, int]]] = {}
    for slot in lay_out_week(groups, START, END):
        places.setdefault(slot.course_id, []).append((slot.weekday, slot.lesson_number))
    assert places[UUID(int=1)] == places[UUID(int=2)]


def test_two_grades_in_one_room_share_their_teacher() -> None:
    grades = [Wish(UUID(int=number), 5, frozenset([number]), frozenset(["teacher"]), "room") for number in (1, 2)]
    slots = lay_out_week(grades, START, END)
    assert {slot.lesson_number for slot in slots} == {1}


@given(wishes(), st.dates(START, END), st.integers(0, 60), st.sets(st.dates(START, END), max_size=5))
def test_lessons_fall_on_their_weekdays_within_the_days_and_on_no_day_off(
    asked: list[Wish], first: date, length: int, days_off: set[date]
) -> None:
    slots = lay_out_week(asked, START, END)
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
    quarters = plan_quarters(SCHOOL, start, end)
    assert len(quarters) == 4
    assert all(one.end_date < other.start_date for one, other in pairwise(quarters))
    assert start <= quarters[0].start_date
    assert quarters[-1].end_date <= end
    assert plan_quarters(SCHOOL, start, end) == quarters


def test_a_vacation_lies_in_no_period_and_the_last_begun_is_shown() -> None:
    quarters = plan_quarters(SCHOOL, START, END)
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
