"""Russian words that depend on a number."""

from collections.abc import Sequence


def count(number: int, forms: Sequence[str]) -> str:
    """A number with its noun: forms for 1, 2 and 5, such as отметка, отметки, отметок."""
    form = forms[2] if 11 <= number % 100 <= 14 else forms[{1: 0, 2: 1, 3: 1, 4: 1}.get(number % 10, 2)]
    return f"{number}\u00a0{form}"


def name_class(title: str) -> str:
    """8-А класс; a title that has the noun stays as the school wrote it."""
    return title if not title or "класс" in title.casefold() else f"{title} класс"
