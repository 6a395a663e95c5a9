"""Working days and terms counted in them. Pure: a calendar is data, made of layers.

A day is looked up from the highest layer down (own days, the region's, the federal ones), then in the office's week.
Days are civil dates of the office's zone; instants are aware datetimes, returned in UTC. Clauses R13-R16.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

COLUMNS = ("date", "kind", "basis", "source")

# Earlier years are not proved against the official production calendar, day by day.
_FIRST_FEDERAL_YEAR = 2022
_TRANSFERRED = re.compile(r"\(перенесено с (\d\d)\.(\d\d)\.(\d{4})\)")
_OBSERVED = " (выходной)"


class YearUnknownError(ValueError):
    """No layer vouches for this year, so its working days cannot be told."""

    def __init__(self, year: int, known: Iterable[int]) -> None:
        years = sorted(known)
        span = f"{years[0]}-{years[-1]}" if years else "none"
        super().__init__(
            f"the working calendar of {year} is not known (known years: {span}); "
            f"a new year is known once its decree on days off is out and the federal layer holds it"
        )
        self.year = year


class CalendarFileError(ValueError):
    """A file of days that cannot be read: the place (row from 1, the header's included; column by name), the problem."""

    def __init__(self, file: str, row: int, column: str, problem: str) -> None:
        super().__init__(f"{file}, row {row}, column {column}: {problem}")
        self.file = file
        self.row = row
        self.column = column
        self.problem = problem


class DayKind(StrEnum):
    """What a layer says of a day; the words of the files."""

    OFF = "off"
    WORKING = "working"


@dataclass(frozen=True, slots=True)
class ListedDay:
    """One day of a layer. `basis` is its ground in words for people, `source` where that is written.

    `moved_from` is the day of rest this day off stands in for, where it stands in for one.
    """

    day: date
    kind: DayKind
    basis: str
    source: str
    moved_from: date | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """Days by date, and the years this layer vouches for: those where a day it does not list is an ordinary one."""

    name: str
    days: Mapping[date, ListedDay]
    years: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class OfficeWeek:
    """The office's week by ISO weekday (Monday 1 … Sunday 7), never the lessons' week.

    `closing` is the local closing time per weekday; a day without one ends at 24:00.
    """

    weekdays: frozenset[int] = frozenset({1, 2, 3, 4, 5})
    closing: Mapping[int, time] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.weekdays or not self.weekdays <= set(range(1, 8)):
            raise ValueError(f"an office's week is a set of ISO weekdays 1-7, at least one; got {sorted(self.weekdays)}")


@dataclass(frozen=True, slots=True)
class DayStatus:
    """Whether the office works on a day, which layer says so ("week" when none does) and on what ground."""

    day: date
    is_working: bool
    layer: str
    basis: str


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Layers, lowest first, over the office's week. Asked for a year no layer vouches for: YearUnknownError."""

    layers: tuple[Layer, ...]
    office: OfficeWeek = field(default_factory=OfficeWeek)

    @property
    def years(self) -> frozenset[int]:
        """The years this calendar knows."""
        return frozenset().union(*(layer.years for layer in self.layers))

    def status(self, day: date) -> DayStatus:
        """What the day is, with the ground."""
        if day.year not in self.years:
            raise YearUnknownError(day.year, self.years)
        for layer in reversed(self.layers):
            listed = layer.days.get(day)
            if listed is not None and self._applies(listed):
                return DayStatus(day, listed.kind is DayKind.WORKING, layer.name, listed.basis)
        is_working = day.isoweekday() in self.office.weekdays
        return DayStatus(day, is_working, "week", "" if is_working else "not in the office's week")

    def _applies(self, listed: ListedDay) -> bool:
        # A Saturday's rest is moved only for those who rest on Saturdays: a six-day week keeps both days as they were.
        return listed.moved_from is None or listed.moved_from.isoweekday() not in self.office.weekdays


@dataclass(frozen=True, slots=True)
class DueCount:
    """How a term was counted (Clause R15).

    `days` are all civil dates from the one of receipt to the last of the term, in order, with the ground of each.
    `closing` is the local time at which the last day ends, None for 24:00; `due` is that moment in UTC, the last
    instant at which the term is kept.
    """

    received: datetime
    days: tuple[DayStatus, ...]
    closing: time | None
    due: datetime

    @property
    def receipt(self) -> date:
        """The day of receipt, or the next working day when that was a day off; it is not counted."""
        return next(status.day for status in self.days if status.is_working)

    @property
    def counted(self) -> tuple[DayStatus, ...]:
        """The working days of the term."""
        return tuple(status for status in self.days if status.is_working)[1:]


def clock_start(received: datetime, enrolled_from: date, zone: ZoneInfo) -> datetime:
    """When the clock of R15 starts: the later of receipt and the enrolment's first day in force (its 00:00)."""
    return max(_as_utc(received), _as_utc(datetime.combine(enrolled_from, time.min, zone)))


def count_due(received: datetime, calendar: WorkingCalendar, zone: ZoneInfo, working_days: int = 2) -> DueCount:
    """Counts a term of working days from an aware instant, in the office's zone. Clause R15."""
    if working_days < 1:
        raise ValueError(f"a term has at least one working day, not {working_days}")
    received = _as_utc(received)
    days = [calendar.status(received.astimezone(zone).date())]
    # One working day more than the term has: the first is the day of receipt.
    while sum(status.is_working for status in days) <= working_days:
        days.append(calendar.status(days[-1].day + timedelta(days=1)))
    last = days[-1].day
    closing = calendar.office.closing.get(last.isoweekday())
    return DueCount(received, tuple(days), closing, _end(last, closing, zone))


def due_time(received: datetime, calendar: WorkingCalendar, zone: ZoneInfo, working_days: int = 2) -> datetime:
    """The last instant, in UTC, at which the term is kept. Clause R15."""
    return count_due(received, calendar, zone, working_days).due


def explain(count: DueCount, zone: ZoneInfo) -> list[str]:
    """The count as lines for an operator: received, each day with its ground, due."""
    numbers = {status.day: f"working day {number}" for number, status in enumerate(count.counted, start=1)}
    numbers[count.receipt] = "day of receipt, not counted"
    lines = [f"received    {count.received.astimezone(zone):%Y-%m-%d %H:%M} {zone.key}"]
    for status in count.days:
        ground = f" ({status.layer}: {status.basis})" if status.basis else ""
        lines.append(f"{status.day:%Y-%m-%d}  {numbers.get(status.day, 'day off')}{ground}")
    ends = "24:00" if count.closing is None else f"{count.closing:%H:%M}"
    return [*lines, f"due         {count.days[-1].day} {ends} {zone.key} = {count.due:%Y-%m-%dT%H:%M:%SZ}"]


def federal_layer() -> Layer:
    """The federal layer: every year from 2022 whose transfers of days off the `holidays` library knows."""
    # Imported here: it costs 0.2 s and 17 MB, and only the owner of calendars needs it; others get layers as data.
    from holidays import country_holidays

    days: dict[date, ListedDay] = {}
    year = _FIRST_FEDERAL_YEAR
    while True:
        named = country_holidays("RU", years=year, language="ru")
        # The eight days of New Year's rest always hold a Saturday and a Sunday, and by article 112 of the Labour Code a
        # yearly decree moves two such days. A year without a transfer is one whose decree the library has not got.
        if not any(_TRANSFERRED.search(name) for name in named.values()):
            return Layer("federal", days, frozenset(range(_FIRST_FEDERAL_YEAR, year)))
        days |= _federal_days(dict(named.items()), named.weekend_workdays)
        year += 1


def parse_days(content: bytes, file: str) -> tuple[ListedDay, ...]:
    """Reads a CSV of days: UTF-8, header `date,kind,basis,source`, kind `off` or `working`.

    Raises CalendarFileError with the row and column of the first mistake; nothing is taken from a file with one.
    """
    rows = _rows(content, file)
    _, header = next(rows, (1, []))
    if tuple(header) != COLUMNS:
        raise CalendarFileError(file, 1, COLUMNS[0], f"the header must be {','.join(COLUMNS)}, not {','.join(header)!r}")
    days: dict[date, ListedDay] = {}
    for row, cells in rows:
        listed = _parse_day(cells, file, row)
        if listed.day in days:
            raise CalendarFileError(file, row, "date", f"{listed.day} is listed twice")
        days[listed.day] = listed
    return tuple(days.values())


def build_layer(name: str, days: Iterable[ListedDay]) -> Layer:
    """A layer over the federal one: a region's or a school's days. It vouches for no year."""
    return Layer(name, {listed.day: listed for listed in days})


def _as_utc(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise ValueError(f"an instant must say its zone: {instant.isoformat()}")
    return instant.astimezone(UTC)


def _end(day: date, closing: time | None, zone: ZoneInfo) -> datetime:
    if closing is None:
        return _as_utc(datetime.combine(day + timedelta(days=1), time.min, zone))
    return _as_utc(datetime.combine(day, closing, zone))


def _federal_days(named: Mapping[date, str], weekend_workdays: Iterable[date]) -> dict[date, ListedDay]:
    source = "holidays"
    off = {day: ListedDay(day, DayKind.OFF, name, source, _moved_from(day, name, named)) for day, name in named.items()}
    basis = "рабочий день по переносу выходных"
    return off | {day: ListedDay(day, DayKind.WORKING, basis, source) for day in weekend_workdays}


def _moved_from(day: date, name: str, named: Mapping[date, str]) -> date | None:
    if transferred := _TRANSFERRED.search(name):
        day_of_month, month, year = map(int, transferred.groups())
        return date(year, month, day_of_month)
    if name.endswith(_OBSERVED):
        holiday = name.removesuffix(_OBSERVED)
        return max(other for other, other_name in named.items() if other_name == holiday and other < day)
    return None


def _rows(content: bytes, file: str) -> Iterator[tuple[int, list[str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise CalendarFileError(file, row, "-", "not UTF-8 text; save the table as CSV UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
    except csv.Error as error:
        raise CalendarFileError(file, reader.line_num, "-", f"not CSV: {error}") from error


def _parse_day(cells: list[str], file: str, row: int) -> ListedDay:
    if len(cells) != len(COLUMNS):
        column = COLUMNS[min(len(cells), len(COLUMNS) - 1)]
        raise CalendarFileError(file, row, column, f"{len(COLUMNS)} cells are needed, {len(cells)} are there")
    day, kind, basis, source = (cell.strip() for cell in cells)
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", day, re.ASCII):
        raise CalendarFileError(file, row, "date", f"{day!r} is not a date like 2026-03-18")
    if kind not in set(DayKind):
        raise CalendarFileError(file, row, "kind", f"{kind!r} is neither off nor working")
    if not basis:
        raise CalendarFileError(file, row, "basis", "the ground of the day is missing")
    try:
        return ListedDay(date.fromisoformat(day), DayKind(kind), basis, source)
    except ValueError as error:
        raise CalendarFileError(file, row, "date", f"{day} is no day of the calendar") from error
