"""The working calendar and the terms counted in it (Clauses R13-R16), against the official calendar and by laws."""

import csv
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chassis.calendar import (
    CalendarFileError,
    DayKind,
    Layer,
    ListedDay,
    OfficeWeek,
    WorkingCalendar,
    YearUnknownError,
    build_layer,
    clock_start,
    count_due,
    due_time,
    explain,
    federal_layer,
    parse_days,
)

OFFICIAL = Path(__file__).parents[4] / "shared" / "data" / "calendar"
needs_official = pytest.mark.skipif(not OFFICIAL.is_dir(), reason=f"the official calendars are not here: {OFFICIAL}")
ZONE = ZoneInfo("Europe/Simferopol")
SIX_DAYS = OfficeWeek(frozenset(range(1, 7)))
HEADER = b"date,kind,basis,source\n"


@cache
def federal() -> Layer:
    return federal_layer()


@cache
def federal_calendar() -> WorkingCalendar:
    return WorkingCalendar((federal(),))


@cache
def crimea_calendar() -> WorkingCalendar:
    name = "crimea_overlay.csv"
    return WorkingCalendar((federal(), build_layer("region", parse_days((OFFICIAL / name).read_bytes(), name))))


def off(day: date, basis: str = "указ") -> ListedDay:
    return ListedDay(day, DayKind.OFF, basis, "")


def calendar_with(*days: ListedDay, office: OfficeWeek | None = None) -> WorkingCalendar:
    return WorkingCalendar((federal(), build_layer("region", days)), office or OfficeWeek())


def local(text: str, zone: ZoneInfo = ZONE) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def official_working_days(year: int) -> dict[date, bool]:
    marked = {}
    for node in ElementTree.parse(OFFICIAL / f"ru-{year}.xml").iter("day"):
        month, day = node.attrib["d"].split(".")
        marked[date(year, int(month), int(day))] = node.attrib["t"] != "1"
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]
    return {day: marked.get(day, day.isoweekday() <= 5) for day in days if day.year == year}


def vectors() -> list[dict[str, str]]:
    with (OFFICIAL / "due_date_vectors.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


# The federal layer


def _is_new_years_rest(day: date | None) -> bool:
    return day is not None and day.month == 1 and day.day <= 8


@needs_official
@pytest.mark.parametrize("year", range(2022, 2028))
def test_the_federal_layer_equals_the_official_calendar_on_every_day(year: int) -> None:
    official = official_working_days(year)
    assert len(official) in (365, 366)
    assert {day: federal_calendar().status(day).is_working for day in official} == official


def test_the_years_proved_are_known() -> None:
    assert federal_calendar().years >= set(range(2022, 2028))


def test_every_known_year_holds_the_two_transfers_that_the_law_asks_for() -> None:
    from_new_year = [listed.day.year for listed in federal().days.values() if _is_new_years_rest(listed.moved_from)]
    assert sorted(from_new_year) == sorted([*federal().years, *federal().years])


@pytest.mark.parametrize("year", [2021, 2050])
def test_a_year_without_a_decree_or_proof_is_named_as_unknown(year: int) -> None:
    with pytest.raises(YearUnknownError, match=f"calendar of {year} is not known .known years: 2022-") as refused:
        federal_calendar().status(date(year, 3, 18))
    assert refused.value.year == year


def test_a_term_that_runs_into_an_unknown_year_names_that_year() -> None:
    last = max(federal().years)
    with pytest.raises(YearUnknownError, match=str(last + 1)):
        due_time(local(f"{last}-12-30T10:00"), federal_calendar(), ZONE)


def test_an_empty_calendar_knows_no_year() -> None:
    with pytest.raises(YearUnknownError, match="known years: none"):
        WorkingCalendar(()).status(date(2026, 3, 18))


# Layers and the office's week


def test_a_higher_layer_wins_over_a_lower_one() -> None:
    day = date(2026, 3, 18)
    school = build_layer("school", [ListedDay(day, DayKind.WORKING, "приказ", "")])
    assert not calendar_with(off(day)).status(day).is_working
    assert WorkingCalendar((*calendar_with(off(day)).layers, school)).status(day).is_working


def test_a_region_may_rest_on_a_federal_working_saturday() -> None:
    assert federal_calendar().status(date(2025, 11, 1)).is_working
    assert not calendar_with(off(date(2025, 11, 1))).status(date(2025, 11, 1)).is_working


def test_a_day_off_says_its_layer_and_ground() -> None:
    status = calendar_with(off(date(2026, 3, 18), "День воссоединения")).status(date(2026, 3, 18))
    assert (status.layer, status.basis) == ("region", "День воссоединения")
    assert federal_calendar().status(date(2026, 5, 11)).basis == "День Победы (выходной)"
    assert federal_calendar().status(date(2026, 3, 14)).layer == "week"


@pytest.mark.parametrize(
    ("day", "five", "six"),
    [
        (date(2026, 3, 14), False, True),  # an ordinary Saturday
        (date(2026, 3, 15), False, False),  # a Sunday
        (date(2027, 5, 1), False, False),  # a holiday on Saturday
        (date(2027, 5, 3), False, True),  # its rest, moved to Monday for those who rest on Saturdays
        (date(2027, 5, 10), False, False),  # moved from Sunday the 9th: for all
        (date(2024, 4, 30), False, True),  # by decree from Saturday 2 November
        (date(2024, 12, 31), False, False),  # by decree from Sunday 7 January
    ],
)
def test_a_saturdays_rest_is_moved_only_for_those_who_rest_on_saturdays(day: date, five: bool, six: bool) -> None:
    assert federal_calendar().status(day).is_working is five
    assert calendar_with(office=SIX_DAYS).status(day).is_working is six


@pytest.mark.parametrize("weekdays", [frozenset[int](), frozenset({0, 1}), frozenset({8})])
def test_a_week_without_days_or_with_wrong_ones_is_refused(weekdays: frozenset[int]) -> None:
    with pytest.raises(ValueError, match="ISO weekdays 1-7"):
        OfficeWeek(weekdays)


# The term of Clause R15


@needs_official
def test_every_vector_is_due_as_checked_by_hand() -> None:
    rows = vectors()
    assert len(rows) == 12
    for row in rows:
        received = local(row["filed"] + "T10:00")
        federally, in_crimea = (count_due(received, each, ZONE) for each in (federal_calendar(), crimea_calendar()))
        assert federally.counted[-1].day.isoformat() == row["due_federal"], row
        assert in_crimea.counted[-1].day.isoformat() == row["due_crimea"], row


@needs_official
def test_the_explanation_names_every_day_and_its_ground() -> None:
    lines = explain(count_due(local("2026-03-17T10:00"), crimea_calendar(), ZONE), ZONE)
    assert lines == [
        "received    2026-03-17 10:00 Europe/Simferopol",
        "2026-03-17  day of receipt, not counted",
        "2026-03-18  day off (region: День воссоединения (ежегодно; для 2026 отдельного источника нет))",
        "2026-03-19  working day 1",
        "2026-03-20  day off (region: Ораза-байрам)",
        "2026-03-21  day off (week: not in the office's week)",
        "2026-03-22  day off (week: not in the office's week)",
        "2026-03-23  working day 2",
        "due         2026-03-23 24:00 Europe/Simferopol = 2026-03-23T21:00:00Z",
    ]


def test_a_day_ends_at_the_next_midnight_of_the_office() -> None:
    due = due_time(local("2026-04-14T10:00"), federal_calendar(), ZONE)
    assert due == local("2026-04-17T00:00")
    assert due.tzinfo is UTC


def test_a_closing_time_ends_the_last_day_earlier_and_only_on_its_weekday() -> None:
    calendar = calendar_with(office=OfficeWeek(closing={4: time(17, 30)}))
    assert due_time(local("2026-04-14T10:00"), calendar, ZONE) == local("2026-04-16T17:30")
    assert due_time(local("2026-04-13T10:00"), calendar, ZONE) == local("2026-04-16T00:00")
    assert explain(count_due(local("2026-04-14T10:00"), calendar, ZONE), ZONE)[-1].startswith("due         2026-04-16 17:30")


def test_the_night_belongs_to_the_offices_date_not_to_utc() -> None:
    late_in_kamchatka = local("2026-04-14T01:00", ZoneInfo("Asia/Kamchatka"))
    assert late_in_kamchatka.astimezone(UTC).date() == date(2026, 4, 13)
    count = count_due(late_in_kamchatka, federal_calendar(), ZoneInfo("Asia/Kamchatka"))
    assert (count.receipt, count.counted[-1].day) == (date(2026, 4, 14), date(2026, 4, 16))


@pytest.mark.parametrize(("received", "due"), [("2026-04-14T23:59", "2026-04-17"), ("2026-04-15T00:00", "2026-04-18")])
def test_midnight_parts_two_days_of_receipt(received: str, due: str) -> None:
    assert due_time(local(received), federal_calendar(), ZONE) == local(due)


def test_received_on_a_day_off_counts_as_received_on_the_next_working_day() -> None:
    count = count_due(local("2026-03-07T10:00"), federal_calendar(), ZONE)  # Saturday; Monday 9 March is off
    assert count.receipt == date(2026, 3, 10)
    assert [status.day.day for status in count.days if not status.is_working] == [7, 8, 9]
    assert [status.day.day for status in count.counted] == [11, 12]


def test_the_clock_starts_at_the_later_of_receipt_and_enrolment() -> None:
    received = local("2026-08-25T10:00")
    assert clock_start(received, date(2026, 8, 20), ZONE) == received
    assert clock_start(received, date(2026, 8, 25), ZONE) == received
    start = clock_start(received, date(2026, 9, 1), ZONE)
    assert start == local("2026-09-01T00:00")
    assert due_time(start, federal_calendar(), ZONE) == local("2026-09-04")


def test_an_instant_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 3, 17, 10)  # noqa: DTZ001 - what is refused
    with pytest.raises(ValueError, match="must say its zone"):
        due_time(naive, federal_calendar(), ZONE)


def test_a_term_of_no_days_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one working day"):
        due_time(local("2026-03-17T10:00"), federal_calendar(), ZONE, working_days=0)


# Laws

# Zones without a change of clocks; the last law shows one with it.
zones = st.sampled_from(["Europe/Kaliningrad", "Europe/Simferopol", "Asia/Yekaterinburg", "Asia/Kamchatka"]).map(ZoneInfo)
instants = st.datetimes(datetime(2022, 1, 2), datetime(2027, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
days = st.dates(date(2022, 1, 1), date(2027, 11, 30))
days_off = st.lists(days.map(off), max_size=30)
offices = st.builds(
    OfficeWeek,
    st.sampled_from([frozenset(range(1, 6)), frozenset(range(1, 7)), frozenset({2, 3, 4, 5, 6})]),
    st.dictionaries(st.integers(1, 7), st.times(time(12), time(20)), max_size=7),
)


@given(instants, st.timedeltas(timedelta(0), timedelta(days=20)), days_off, offices, zones)
def test_what_is_received_later_is_never_due_earlier(
    received: datetime, later: timedelta, listed: list[ListedDay], office: OfficeWeek, zone: ZoneInfo
) -> None:
    assume(received + later < datetime(2027, 12, 1, tzinfo=UTC))
    calendar = calendar_with(*listed, office=office)
    assert due_time(received, calendar, zone) <= due_time(received + later, calendar, zone)


@given(instants, days_off, offices, zones)
def test_due_is_the_end_of_a_working_day_exactly_two_after_receipt(
    received: datetime, listed: list[ListedDay], office: OfficeWeek, zone: ZoneInfo
) -> None:
    calendar = calendar_with(*listed, office=office)
    due = due_time(received, calendar, zone).astimezone(zone)
    last = (due - timedelta(microseconds=1)).date()
    assert calendar.status(last).is_working
    assert due.replace(tzinfo=None) == (
        datetime.combine(last, office.closing[last.isoweekday()])
        if last.isoweekday() in office.closing
        else datetime.combine(last + timedelta(days=1), time.min)
    )
    first = received.astimezone(zone).date()
    between = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    assert sum(calendar.status(day).is_working for day in between) == 3


@given(instants, days_off, st.integers(0, 12), zones)
def test_one_more_day_off_never_makes_it_earlier(
    received: datetime, listed: list[ListedDay], ahead: int, zone: ZoneInfo
) -> None:
    added = off(received.astimezone(zone).date() + timedelta(days=ahead))
    before = due_time(received, calendar_with(*listed), zone)
    assert due_time(received, calendar_with(*listed, added), zone) >= before


@given(instants, st.integers(1, 5), zones)
def test_more_working_days_are_due_later(received: datetime, working_days: int, zone: ZoneInfo) -> None:
    shorter = due_time(received, federal_calendar(), zone, working_days)
    assert due_time(received, federal_calendar(), zone, working_days + 1) > shorter


@given(instants, zones, zones)
def test_the_same_instant_is_due_alike_whatever_zone_it_is_written_in(
    received: datetime, written: ZoneInfo, zone: ZoneInfo
) -> None:
    calendar = federal_calendar()
    assert due_time(received.astimezone(written), calendar, zone) == due_time(received, calendar, zone)


@given(days, st.times(), zones, zones)
def test_the_same_local_time_is_due_at_the_same_local_time_in_every_zone(
    day: date, at: time, one: ZoneInfo, other: ZoneInfo
) -> None:
    here, there = (
        due_time(datetime.combine(day, at, zone), federal_calendar(), zone).astimezone(zone).replace(tzinfo=None)
        for zone in (one, other)
    )
    assert here == there


@given(days, st.times(), st.times(), days_off, offices, zones)
def test_received_on_a_day_off_is_due_as_received_on_the_next_working_day(
    day: date, at: time, then: time, listed: list[ListedDay], office: OfficeWeek, zone: ZoneInfo
) -> None:
    calendar = calendar_with(*listed, office=office)
    following = day
    while not calendar.status(following).is_working:
        following += timedelta(days=1)
    received = datetime.combine(day, at, zone)
    assert due_time(received, calendar, zone) == due_time(datetime.combine(following, then, zone), calendar, zone)


@given(instants, st.times(time(0, 1), time(23, 59)), zones)
def test_a_closing_time_only_brings_the_end_within_the_same_day(received: datetime, closing: time, zone: ZoneInfo) -> None:
    closed = calendar_with(office=OfficeWeek(closing=dict.fromkeys(range(1, 8), closing)))
    earlier, midnight = due_time(received, closed, zone), due_time(received, federal_calendar(), zone)
    assert timedelta(0) < midnight - earlier < timedelta(days=1)


def test_a_day_on_which_clocks_change_still_ends_at_its_midnight() -> None:
    berlin = ZoneInfo("Europe/Berlin")  # 29 March 2026 has 23 hours
    due = due_time(local("2026-03-26T10:00", berlin), federal_calendar(), berlin)
    assert due == local("2026-03-31T00:00", berlin)
    assert due == datetime(2026, 3, 30, 22, tzinfo=UTC)


# Files of days


def _text(pieces: list[str]) -> bytes:
    return HEADER + "".join(pieces).encode()


@needs_official
def test_the_regions_file_is_read_whole() -> None:
    listed = parse_days((OFFICIAL / "crimea_overlay.csv").read_bytes(), "crimea_overlay.csv")
    assert len(listed) == 15
    assert listed[0].basis == "Закон РК о праздниках (День воссоединения), ежегодно"


def test_a_file_saved_by_a_spreadsheet_is_read() -> None:
    content = b"\xef\xbb\xbf" + HEADER.replace(b"\n", b"\r\n") + "2026-03-18,working,приказ,\r\n\r\n".encode()
    assert parse_days(content, "days.csv") == (ListedDay(date(2026, 3, 18), DayKind.WORKING, "приказ", ""),)


@pytest.mark.parametrize(
    ("content", "row", "column", "problem"),
    [
        (b"", 1, "date", "the header must be date,kind,basis,source"),
        (b"date;kind;basis;source\n", 1, "date", "the header must be"),
        (HEADER + b"18.03.2026,off,x,\n", 2, "date", "'18.03.2026' is not a date like 2026-03-18"),
        (HEADER + b"20260318,off,x,\n", 2, "date", "is not a date"),
        (HEADER + b"2026-02-30,off,x,\n", 2, "date", "2026-02-30 is no day of the calendar"),
        (HEADER + b"2026-03-18,Off,x,\n", 2, "kind", "'Off' is neither off nor working"),
        (HEADER + b"2026-03-18,off, ,\n", 2, "basis", "ground of the day is missing"),
        (HEADER + b"2026-03-18,off,x\n", 2, "source", "4 cells are needed, 3 are there"),
        (HEADER + b"2026-03-18,off,x,y,z\n", 2, "source", "4 cells are needed, 5 are there"),
        (HEADER + b"2026-03-18,off,x,\n\n2026-03-18,off,y,\n", 4, "date", "2026-03-18 is listed twice"),
        (HEADER + b'2026-03-18,off,"x\n', 2, "-", "not CSV"),
        (HEADER + "2026-03-18,off,указ,\n".encode("cp1251"), 2, "-", "not UTF-8"),
    ],
)
def test_a_mistake_in_a_file_is_named_by_file_row_and_column(content: bytes, row: int, column: str, problem: str) -> None:
    with pytest.raises(CalendarFileError) as refused:
        parse_days(content, "days.csv")
    assert (refused.value.file, refused.value.row, refused.value.column) == ("days.csv", row, column)
    assert problem in str(refused.value)
    assert str(refused.value).startswith(f"days.csv, row {row}, column {column}: ")


@settings(max_examples=50)
@given(st.binary(max_size=60) | st.lists(st.sampled_from(["2026-03-18", "off", "x", ",", '"', "\n", "\0"])).map(_text))
def test_no_file_is_refused_otherwise_than_by_its_place(content: bytes) -> None:
    with suppress(CalendarFileError):
        parse_days(content, "days.csv")
