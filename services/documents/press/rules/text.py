"""How words are printed: one line, nothing invisible, what belongs together tied."""

import re
import unicodedata
from datetime import date, datetime

from chassis import words

NBSP = "\N{NO-BREAK SPACE}"
_BREAK = "\N{ZERO WIDTH SPACE}"
_HYPHEN = "\N{NON-BREAKING HYPHEN}"
# Longer runs without a space are not words: they may be broken anywhere rather than leave the paper.
_LONGEST_WORD = 30
_OVERLONG_WORD = re.compile(rf"[^ -]{{{_LONGEST_WORD},}}")
# Initials: «И. Е. Супрун», «Супрун И. Е.» stay in one line.
_INITIAL = r"[^\W\d_]\."
_BETWEEN_INITIALS = re.compile(rf"(?<=\b{_INITIAL}) (?={_INITIAL})|(?<=\b{_INITIAL}) (?=[^\W\d_])| (?={_INITIAL}(?: |$))")
_AFTER_NUMBER_SIGN = re.compile(r"(?<=№) ")


def print_text(text: str) -> str:
    """A person's text as one line: no control or invisible characters, initials and numbers tied, overlong runs breakable."""
    # Nearly every text is printable as it stands, and a sheet prints some fifty.
    if not text.isprintable():
        text = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    line = " ".join(text.split())
    if "." in line:
        line = _BETWEEN_INITIALS.sub(NBSP, line)
    if "№" in line:
        line = _AFTER_NUMBER_SIGN.sub(NBSP, line)
    return _OVERLONG_WORD.sub(lambda run: _BREAK.join(run.group()), line) if len(line) >= _LONGEST_WORD else line


def print_number(text: str) -> str:
    """A number of a paper, or its code, which no line breaks at its hyphens: 312-ЭД/2026."""
    return print_text(text).replace("-", _HYPHEN)


def print_class(name: str) -> str:
    """A class with its noun, unless the school's name for it has one: «8-А класс», «Подготовительный класс»."""
    title = print_number(name)
    return title if not title or "класс" in title.casefold() else f"{title}{NBSP}класс"


def print_date(day: date) -> str:
    """A date in running text: «28» августа 2020 г."""
    return f"«{day.day}»{NBSP}{words.month_of(day)}{NBSP}{day.year}{NBSP}г."


def print_moment(local: datetime) -> str:
    """A local time, to the minute before it: 19.03.2026, 18:00."""
    return f"{local.day:02}.{local.month:02}.{local.year:04},{NBSP}{local:%H:%M}"
