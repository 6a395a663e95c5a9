"""Names of people: for display, short, and as a key to sort by."""

import unicodedata

# Below every character of a name, so that whole family names are compared first.
_BETWEEN = "\x1f"
# Above every letter: ё stands after all words with е in its place and before those with ж.
_YO = "е\ufffd"


def build_sort_key(family_name: str, given_name: str, patronymic: str) -> str:
    """A key whose code points order people as a Russian list does: without case, ё after е."""
    return _BETWEEN.join(_fold(name) for name in (family_name, given_name, patronymic))


def build_display_name(family_name: str, given_name: str, patronymic: str) -> str:
    """Family name, given name, patronymic."""
    return " ".join(name for name in (family_name, given_name, patronymic) if name)


def build_short_name(family_name: str, given_name: str, patronymic: str) -> str:
    """Family name and initials: Петрова Н. И."""
    return " ".join([family_name, *(f"{name[0]}." for name in (given_name, patronymic) if name)])


def _fold(name: str) -> str:
    composed = unicodedata.normalize("NFC", name).casefold()
    return unicodedata.normalize("NFC", composed).replace("ё", _YO)
