"""One word, one spelling: pages and letters write ё, papers write е as the regulation's own text does."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_MEDIA = {
    "pages": "apps/portal",
    "letters": "services/notify/templates",
    "papers": "services/documents",
}
_WITH_WORDS = {".py", ".html", ".txt", ".js", ".typ"}
_WORD = re.compile("[А-Яа-яЁё]{2,}")
# A table of letters, not words.
_LETTERS = _ROOT / "services/documents/press/rules/letters.py"
# Two words, not two spellings.
_OTHERS = {"всё", "чём", "нём"}


def _words(medium: str) -> Iterator[tuple[str, str]]:
    """Each Russian word of a medium, in small letters, and where it stands."""
    for path in sorted((_ROOT / _MEDIA[medium]).rglob("*")):
        if path.suffix in _WITH_WORDS and path != _LETTERS:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                for word in _WORD.findall(line):
                    yield word.lower(), f"{path.relative_to(_ROOT)}:{number}"


@pytest.mark.parametrize("medium", _MEDIA)
def test_no_word_of_a_medium_is_spelled_with_and_without_dots(medium: str) -> None:
    words = list(_words(medium))
    assert len(words) > 100
    plain = {word.replace("ё", "е") for word, _ in words if "ё" in word and word not in _OTHERS}
    assert [(word, place) for word, place in words if word in plain] == []


@pytest.mark.parametrize(("medium", "other"), [("pages", "ребен"), ("letters", "ребен"), ("papers", "ребён")])
def test_a_child_is_spelled_in_the_way_of_the_medium(medium: str, other: str) -> None:
    words = list(_words(medium))
    assert any(word.startswith(("ребен", "ребён")) for word, _ in words)
    assert [(word, place) for word, place in words if word.startswith(other)] == []


def test_papers_have_no_dots_at_all() -> None:
    assert [(word, place) for word, place in _words("papers") if "ё" in word] == []
