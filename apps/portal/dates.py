"""Civil dates, ISO weeks and counts in Russian words."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp

from chassis import words

# Weeks outside these years are no weeks of any school.
_FIRST_YEAR, _LAST_YEAR = 2000, 2100


def parse_week(week: str) -> date:
    """Monday of an ISO week such as 2026-W48. ValueError when there is no such week."""
    year, separator, number = week.partition("-W")
    is_written_right = separator and len(year) == 4 and len(number) == 2 and f"{year}{number}".isascii()
    if not is_written_right or not f"{year}{number}".isdigit() or not _FIRST_YEAR <= int(year) <= _LAST_YEAR:
        raise ValueError(f"{week!r} is not an ISO week")
    return date.fromisocalendar(int(year), int(number), 1)


def week_of(day: date) -> str:
    """The ISO week of a day, such as 2026-W48."""
    year, number, _ = day.isocalendar()
    return f"{year:04}-W{number:02}"


def monday_of(day: date) -> date:
    """Monday of the day's ISO week."""
    return day - timedelta(days=day.weekday())


def day_month(day: date) -> str:
    """23 ноября, held together by a no-break space."""
    return f"{day.day}\u00a0{words.month_of(day)}"


def week_label(monday: date) -> str:
    """23-29 ноября 2026, or with both months and years where they differ."""
    sunday = monday + timedelta(days=6)
    if monday.year != sunday.year:
        return f"{day_month(monday)} {monday.year} – {day_month(sunday)} {sunday.year}"
    if monday.month != sunday.month:
        return f"{day_month(monday)} – {day_month(sunday)} {sunday.year}"
    return f"{monday.day}–{day_month(sunday)} {sunday.year}"


def local(instant: Timestamp, zone: str) -> datetime:
    """An instant on the clocks of a zone."""
    return instant.ToDatetime(UTC).astimezone(ZoneInfo(zone))


def moment(instant: Timestamp, zone: str) -> str:
    """17.11.2026 14:05, in the school's zone."""
    return f"{local(instant, zone):%d.%m.%Y\u00a0%H:%M}"


def numeric(iso_date: str) -> str:
    """20.11.2026 of 2026-11-20; the text itself where it is no date."""
    try:
        return f"{date.fromisoformat(iso_date):%d.%m.%Y}"
    except ValueError:
        return iso_date


def until(instant: Timestamp, zone: str) -> str:
    """до 18.11.2026 24:00: a term that ends at midnight ends with the day before it."""
    end = local(instant, zone)
    if end.time() == time():
        return f"до\u00a0{end - timedelta(days=1):%d.%m.%Y}\u00a024:00"
    return f"до\u00a0{end:%d.%m.%Y\u00a0%H:%M}"
