"""Names of people: for display, short, and as a key to sort by."""

import unicodedata
from dataclasses import dataclass

# Below every character of a name, so that whole family names are compared first.
_BETWEEN = "\x1f"
# Above every letter: ё stands after all words with е in its place and before those with ж.
_YO = "е\ufffd"


@dataclass(frozen=True, slots=True)
class PersonName:
    """The parts of a name."""

    family_name: str
    given_name: str
    patronymic: str


def build_sort_key(family_name: str, given_name: str, patronymic: str) -> str:
    """A key whose code points order people as a Russian list does: without case, ё after е."""
    return _BETWEEN.join(_fold(part) for part in (family_name, given_name, patronymic))


def build_display_name(name: PersonName) -> str:
    """Family name, given name, patronymic."""
    return " ".join(part for part in (name.family_name, name.given_name, name.patronymic) if part)


def build_short_name(name: PersonName) -> str:
    """Family name and initials: Петрова Н. И."""
    return " ".join([name.family_name, *(f"{part[0]}." for part in (name.given_name, name.patronymic) if part)])


def _fold(part: str) -> str:
    composed = unicodedata.normalize("NFC", part).casefold()
    return unicodedata.normalize("NFC", composed).replace("ё", _YO)
