"""Logins made of names (Clause R25): Latin letters that a family can type from a paper slip."""

import re
import unicodedata
from collections.abc import Collection
from itertools import count

from services.access.people.rules.names import PersonName

# As in Russian passports (ICAO), but for endings that people write shorter: й as y, ю and я as yu and ya.
_LETTERS = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh sch - y - e yu ya".replace("-", "").split(" "),
        strict=True,
    )
)
# Short enough for the line of a slip and for fingers, however long the family name is.
_LONGEST_PART = 16
_BETWEEN = re.compile(r"[\s\-\u2010-\u2015]+")
_NAMELESS = "semya"


def transliterate(word: str) -> str:
    """A word in small Latin letters: Соловьёва -> soloveva; accents are dropped, and what has no Latin form is left out."""
    letters = "".join(_LETTERS.get(letter, letter) for letter in unicodedata.normalize("NFC", word).lower())
    return "".join(letter for letter in unicodedata.normalize("NFD", letters) if letter.isascii() and letter.isalpha())


def build_login(name: PersonName) -> str:
    """The login wished for: family name and initials, ivanova.mp; `semya` when nothing of the family name can be written."""
    family = _shorten(name.family_name) or _NAMELESS
    initials = "".join(transliterate(part[:1])[:1] for part in (name.given_name, name.patronymic))
    return f"{family}.{initials}" if initials else family


def _shorten(family_name: str) -> str:
    """A long double name by its first part, Власова-Константинопольская -> vlasova; what is longer still is cut."""
    whole = transliterate(family_name)
    parts = [word for part in _BETWEEN.split(family_name) if (word := transliterate(part))]
    return (whole if len(whole) <= _LONGEST_PART or not parts else parts[0])[:_LONGEST_PART]


def choose_login(name: PersonName, taken: Collection[str]) -> str:
    """A login that is not taken: the wished one, else with the lowest free number, ivanova.mp2."""
    wished = build_login(name)
    if wished not in taken:
        return wished
    return next(login for number in count(2) if (login := f"{wished}{number}") not in taken)
