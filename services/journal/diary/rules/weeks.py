"""ISO weeks, such as 2026-W37."""

from datetime import date, timedelta

from chassis.errors import InvalidArgument


def read_week(week: str) -> date:
    """The Monday of an ISO week. Raises InvalidArgument WEEK_INVALID."""
    try:
        return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)
    except ValueError as error:
        raise InvalidArgument("WEEK_INVALID", "the week is not an ISO week, such as 2026-W37") from error


def write_week(day: date) -> str:
    """The ISO week of a day."""
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


def find_monday(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())
