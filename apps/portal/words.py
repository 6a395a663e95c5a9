"""Russian words that depend on a number."""

from collections.abc import Sequence

from chassis.words import choose


def count(number: int, forms: Sequence[str]) -> str:
    """A number with its noun: forms for 1, 2 and 5, such as отметка, отметки, отметок."""
    return f"{number}\u00a0{choose(number, forms)}"


def name_class(title: str) -> str:
    """8-А класс; a title that has the noun stays as the school wrote it."""
    return title if not title or "класс" in title.casefold() else f"{title} класс"
