"""Civil dates of requests."""

from datetime import date

from chassis.errors import FieldViolation, InvalidArgument


def read_optional_date(field: str, text: str) -> date | None:
    return read_date(field, text) if text else None


def read_date(field: str, text: str) -> date:
    """A civil date of a field. Raises InvalidArgument REQUEST_INVALID."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        violation = FieldViolation(field, "must be a civil date")
        raise InvalidArgument("REQUEST_INVALID", violation.description, violations=(violation,)) from None


def read_monday(text: str) -> date | None:
    """The Monday of a week, None when empty. Raises InvalidArgument REQUEST_INVALID."""
    monday = read_optional_date("monday_date", text)
    if monday is not None and monday.weekday() != 0:
        violation = FieldViolation("monday_date", "must be a Monday")
        raise InvalidArgument("REQUEST_INVALID", violation.description, violations=(violation,))
    return monday
