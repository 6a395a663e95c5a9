"""Print runs and hand-overs as pure rules (Clause R7)."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument, NotFound
from services.documents.print_runs.rules.paper_families import NOBODY, Addressee, Declared, find_owed
from services.documents.print_runs.rules.runs import (
    Channel,
    Handed,
    HandOver,
    NewHandOver,
    Printout,
    PrintRun,
    check_hand_overs,
    find_met,
    find_school_year,
    open_deadline,
    read_week,
    write_week,
)

ZONE = "Europe/Simferopol"
MONDAY = date(2026, 11, 16)
PRINTED = datetime(2026, 11, 20, 11, tzinfo=UTC)
STUDENTS = [UUID(int=number) for number in range(1, 4)]
CLASS = UUID(int=99)


MOTHER, FATHER = UUID(int=50), UUID(int=51)


def _run(*records: HandOver | None) -> PrintRun:
    due = open_deadline(CLASS, MONDAY, ZONE).due
    printouts = [
        Printout(student_id, NOBODY, "", "", 2026, place, "", None, "", True, False, record)
        for place, (student_id, record) in enumerate(zip(STUDENTS, records, strict=False), 1)
    ]
    return PrintRun(uuid4(), CLASS, "8-А", MONDAY, ZONE, PRINTED, b"", due, None, printouts)


_addressees = st.builds(Addressee, st.sampled_from(STUDENTS), st.sampled_from([MOTHER, FATHER]))
_times = st.integers(0, 5).map(lambda hours: PRINTED + timedelta(hours=hours))
_handed = st.builds(
    lambda to, at: Handed(to, at.date(), at, ZONE, uuid4()),
    st.one_of(_addressees, st.builds(Addressee, st.sampled_from(STUDENTS), st.just(NOBODY))),
    _times,
)


@given(st.sets(_addressees, min_size=1), st.lists(_handed))
def test_a_week_is_met_exactly_when_all_who_are_owed_a_sheet_got_one(owed: set[Addressee], handed: list[Handed]) -> None:
    got = [[one.record_time for one in handed if one.addressee in (to, Addressee(to.student_id, NOBODY))] for to in owed]
    met = find_met(owed, handed)
    assert (met is not None) == all(got)
    if met is not None:
        assert met[0] == max(map(min, got))
        assert met[1] in {one.hand_over_id for one in handed}


@given(st.sets(_addressees, min_size=1), st.lists(_handed), st.lists(_handed))
def test_more_sheets_never_make_a_met_week_later(owed: set[Addressee], handed: list[Handed], more: list[Handed]) -> None:
    before, after = find_met(owed, handed), find_met(owed, handed + more)
    if before is not None:
        assert after is not None
        assert after[0] <= before[0]


@given(st.lists(_handed))
def test_what_is_owed_to_nobody_is_never_met(handed: list[Handed]) -> None:
    assert find_met([], handed) is None


_days = st.integers(-10, 9).map(lambda days: MONDAY + timedelta(days=days))
_instants = st.builds(lambda day, hour: datetime.combine(day, time(hour), ZoneInfo(ZONE)), _days, st.integers(0, 23))
_declared = st.builds(
    lambda to, made, lasted: Declared(to, made, None if lasted is None else made + timedelta(hours=lasted)),
    _addressees,
    _instants,
    st.one_of(st.none(), st.integers(0, 400)),
)
_lessons = st.integers(0, 6).map(lambda days: MONDAY + timedelta(days=days))


@given(st.lists(_declared), _lessons)
def test_nobody_is_owed_a_week_without_a_declaration_before_its_last_lesson(declared: list[Declared], last: date) -> None:
    """Clause R7: a printing makes no duty, nor does what was declared after the lessons."""
    for to in find_owed(declared, MONDAY, last, ZONE):
        assert any(one.addressee == to and one.recorded.date() < last for one in declared)


@given(_addressees, _instants, _lessons)
def test_of_a_week_before_the_declaration_nothing_is_owed_and_of_its_own_while_a_lesson_remains(
    to: Addressee, made: datetime, last: date
) -> None:
    owed = find_owed([Declared(to, made, None)], MONDAY, last, ZONE)
    assert owed == ({to} if made.date() < last else set())


@given(st.lists(_declared), _lessons)
def test_later_lessons_of_a_week_only_add_to_what_it_owes(declared: list[Declared], last: date) -> None:
    assert find_owed(declared, MONDAY, last, ZONE) <= find_owed(declared, MONDAY, MONDAY + timedelta(days=6), ZONE)


@given(st.lists(_declared), _lessons)
def test_one_parent_owes_nothing_to_the_other(declared: list[Declared], last: date) -> None:
    of_mothers = [one for one in declared if one.addressee.guardian_id == MOTHER]
    owed = find_owed(declared, MONDAY, last, ZONE)
    assert {to for to in owed if to.guardian_id == MOTHER} == find_owed(of_mothers, MONDAY, last, ZONE)


@given(_addressees, _instants, st.integers(0, 400), _lessons)
def test_who_has_ended_it_before_the_week_is_over_is_owed_nothing(
    to: Addressee, made: datetime, hours: int, last: date
) -> None:
    ended = made + timedelta(hours=hours)
    owed = find_owed([Declared(to, made, ended)], MONDAY, last, ZONE)
    end = datetime.combine(MONDAY + timedelta(days=7), time.min, ZoneInfo(ZONE))
    assert owed == ({to} if made.date() < last and ended >= end else set())


@pytest.mark.parametrize(
    ("monday", "due"),
    [("2026-11-16", "2026-11-22T21:00:00+00:00"), ("2026-12-28", "2027-01-03T21:00:00+00:00")],
)
def test_the_term_ends_with_the_calendar_week(monday: str, due: str) -> None:
    assert open_deadline(CLASS, date.fromisoformat(monday), ZONE).due == datetime.fromisoformat(due)


def test_a_week_of_a_class_has_one_subject() -> None:
    subjects = {
        open_deadline(one, MONDAY + timedelta(days=days), ZONE).subject for one in (CLASS, UUID(int=98)) for days in (0, 7)
    }
    assert len(subjects) == 4
    assert open_deadline(CLASS, MONDAY, ZONE) == open_deadline(CLASS, MONDAY, ZONE)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_week_is_read_as_it_is_written(day: date) -> None:
    monday = day - timedelta(days=day.weekday())
    assert read_week(write_week(monday)) == monday


@pytest.mark.parametrize("week", ["2026-W54", "2026-W00", "2026W37", "", "2026-W1a"])
def test_what_is_no_week_is_refused(week: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        read_week(week)
    assert refusal.value.reason == "WEEK_INVALID"


def test_numbers_begin_anew_on_the_first_of_september() -> None:
    assert [find_school_year(date(2027, 8, 31)), find_school_year(date(2027, 9, 1))] == [2026, 2027]


def test_what_was_not_handed_over_is_never_receipted() -> None:
    new = NewHandOver(Addressee(STUDENTS[0], NOBODY), Channel.NOT_HANDED_OVER, None, "  болел \n", True)
    [(_, record)] = check_hand_overs(_run(None), [new], CLASS, PRINTED)
    assert (record.note, record.is_receipted, record.handed_date) == ("болел", False, date(2026, 11, 20))


def test_a_student_without_a_printout_is_refused() -> None:
    with pytest.raises(NotFound):
        check_hand_overs(
            _run(None), [NewHandOver(Addressee(STUDENTS[1], NOBODY), Channel.IN_PERSON, None, "", True)], CLASS, PRINTED
        )
