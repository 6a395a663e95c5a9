"""How Russian names months and days of the week, and counts things: from CLDR, by Babel."""

from collections.abc import Sequence
from datetime import date
from functools import cache

from babel import Locale

_RUSSIAN = Locale("ru")
_PLURALS = ("one", "few", "many")


def month_of(day: date) -> str:
    """The month as a date has it: ноября."""
    return _names("months", "format")[day.month - 1]


def month(day: date) -> str:
    """The month by itself: ноябрь."""
    return _names("months", "stand-alone")[day.month - 1]


def weekday(day: date) -> str:
    """The day of the week: понедельник."""
    return _names("days", "stand-alone")[day.weekday()]


def choose(number: int, forms: Sequence[str]) -> str:
    """The form of a noun beside a number, of its forms for 1, 2 and 5: отметка, отметки, отметок."""
    return forms[_PLURALS.index(_RUSSIAN.plural_form(number))]


# Formatting a date by its pattern takes 27 µs, and a page has dozens.
@cache
def _names(kind: str, context: str) -> tuple[str, ...]:
    found: dict[int, str] = getattr(_RUSSIAN, kind)[context]["wide"]
    return tuple(found[number] for number in sorted(found))
