"""Names of people by their parts. A family name may have two words, a person one name only: nobody cuts a name for display."""

from dataclasses import dataclass
from typing import Protocol

# They stand in a patronymic and have no initial: Гусейн Али оглы is Г. А.
_PARTICLES = frozenset({"оглы", "оглу", "кызы", "гызы", "улы", "угли", "кизи", "уулу"})


class Name(Protocol):
    """The parts of a name, in a dataclass or in a message."""

    @property
    def family_name(self) -> str:
        """Аль Хасан; the only name of a person who has one."""

    @property
    def given_name(self) -> str:
        """Хуан Карлос; may be empty."""

    @property
    def patronymic(self) -> str:
        """May be empty."""


@dataclass(frozen=True, slots=True)
class PersonName:
    """The parts of a name."""

    family_name: str
    given_name: str
    patronymic: str


def build_display_name(name: Name) -> str:
    """Family name, given name, patronymic."""
    return _join(name.family_name, name.given_name, name.patronymic)


def build_list_name(name: Name) -> str:
    """Family name and given name, as a class list has them: Аль Хасан Омар."""
    return _join(name.family_name, name.given_name)


def build_short_name(name: Name) -> str:
    """Family name and initials: Петрова Н. И."""
    return _join(name.family_name, _initials(name))


def build_signed_name(name: Name) -> str:
    """Initials and family name, as under a signature: О. Р. Аль Хасан."""
    return _join(_initials(name), name.family_name)


def find_called_name(name: Name) -> str:
    """By what one is called: the given name, or the only one."""
    return name.given_name or name.family_name


def _initials(name: Name) -> str:
    words = [*name.given_name.split(), *name.patronymic.split()]
    return " ".join(f"{word[0].upper()}." for word in words if word.casefold() not in _PARTICLES)


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)
