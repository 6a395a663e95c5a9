"""Names of people: as the house writes them (`chassis/names.py`), and as a key to sort by."""

import unicodedata

from chassis.names import PersonName, build_display_name, build_short_name

__all__ = ["PersonName", "build_display_name", "build_short_name", "build_sort_key"]

# Below every character of a name, so that whole family names are compared first.
_BETWEEN = "\x1f"
# Above every letter: ё stands after all words with е in its place and before those with ж.
_YO = "е\ufffd"


def build_sort_key(family_name: str, given_name: str, patronymic: str) -> str:
    """A key whose code points order people as a Russian list does: without case, ё after е."""
    return _BETWEEN.join(_fold(part) for part in (family_name, given_name, patronymic))


def _fold(part: str) -> str:
    composed = unicodedata.normalize("NFC", part).casefold()
    return unicodedata.normalize("NFC", composed).replace("ё", _YO)
