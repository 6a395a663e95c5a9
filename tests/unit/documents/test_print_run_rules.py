"""Print runs and hand-overs as pure rules (Clause R7)."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument, NotFound
from services.documents.rules.print_runs import (
    Channel,
    HandOver,
    NewHandOver,
    Printout,
    PrintRun,
    check_hand_overs,
    find_met_time,
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


def _record(channel: Channel, at: datetime) -> HandOver:
    return HandOver(channel, at.date(), "", False, at)


def _run(*records: HandOver | None) -> PrintRun:
    due = open_deadline(CLASS, MONDAY, ZONE).due
    printouts = [
        Printout(student_id, "", 2026, place, "", record)
        for place, (student_id, record) in enumerate(zip(STUDENTS, records, strict=False), 1)
    ]
    return PrintRun(uuid4(), CLASS, "8-А", MONDAY, ZONE, PRINTED, b"", due, None, printouts)


_channels = st.sampled_from(Channel)
_times = st.integers(0, 5).map(lambda hours: PRINTED + timedelta(hours=hours))
_records = st.one_of(st.none(), st.builds(_record, _channels, _times))


@given(st.lists(_records, min_size=3, max_size=3))
def test_a_week_is_met_exactly_when_every_student_was_handed_a_printout(records: list[HandOver | None]) -> None:
    handed = [r is not None and r.channel != Channel.NOT_HANDED_OVER for r in records]
    met = find_met_time([_run(*records)])
    assert (met is not None) == all(handed)
    if met is not None:
        assert met == max(r.record_time for r in records if r)


@given(st.lists(_records, min_size=3, max_size=3), st.lists(_records, min_size=3, max_size=3))
def test_a_second_printing_never_makes_a_met_week_later(first: list[HandOver | None], second: list[HandOver | None]) -> None:
    before, after = find_met_time([_run(*first)]), find_met_time([_run(*first), _run(*second)])
    if before is not None:
        assert after is not None
        assert after <= before


def test_a_week_without_a_printout_is_not_met() -> None:
    assert find_met_time([]) is None


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
    new = NewHandOver(STUDENTS[0], Channel.NOT_HANDED_OVER, None, "  болел \n", True)
    [(_, record)] = check_hand_overs(_run(None), [new], PRINTED)
    assert (record.note, record.is_receipted, record.handed_date) == ("болел", False, date(2026, 11, 20))


def test_a_student_without_a_printout_is_refused() -> None:
    with pytest.raises(NotFound):
        check_hand_overs(_run(None), [NewHandOver(STUDENTS[1], Channel.IN_PERSON, None, "", True)], PRINTED)
