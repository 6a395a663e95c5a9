"""Colours and sizes stand in one sheet; words are read on their ground in the light, in the dark and with more contrast."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_STATIC = Path(__file__).parents[3] / "apps" / "portal" / "static"
_TOKENS = (_STATIC / "tokens.css").read_text()
_SHEETS = sorted(path for path in _STATIC.glob("*.css") if path.name != "tokens.css")

_COLOURS = (
    "white|black|red|green|blue|gr[ae]y|orange|yellow|brown|pink|purple|silver|navy|teal|transparent|canvas\\w*|highlight\\w*"
)
# Proportions (%, em, fr, vw) are not sizes; `calc` and `min` are of tokens.
_LITERAL = re.compile(
    rf"#[0-9a-f]{{3,8}}\b|\b(?:rgb|hsl|hwb|lab|lch|oklab|oklch)a?\(|\d(?:px|rem|pt|mm|cm|in)\b|(?<![\w-])(?:{_COLOURS})(?![\w-])",
    re.I,
)
_DECLARATION = re.compile(r"([\w-]+)\s*:\s*([^;{}]+);")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")

_SCHEMES = {
    "light": (),
    "dark": ("dark",),
    "more contrast": ("contrast",),
    "more contrast in the dark": ("dark", "contrast", "contrast dark"),
}
# What stands on what: words, then what only has to be seen.
_GROUNDS = ("paper", "desk", "head", "hover")
_WORDS = [
    *((word, ground) for word in ("ink", "soft", "accent", "bad", "good", "warn") for ground in _GROUNDS),
    *((word, "accent-wash") for word in ("accent", "accent-strong", "ink")),
    *(("on-fill", fill) for fill in ("accent", "accent-strong", "bad", "warn")),
    *((state, f"{state}-wash") for state in ("bad", "good", "warn")),
    *(("ink", ground) for ground in ("warn-wash", "bad-wash", "today", "chip")),
    ("soft", "today"),
    ("soft", "bad-wash"),
]
_SEEN = [("field-line", "paper"), ("field-line", "desk"), ("accent", "desk"), ("bad", "paper")]


def _plain(sheet: str) -> str:
    return re.sub(r"/\*.*?\*/", "", sheet, flags=re.S)


def _find_literals(sheet: str) -> Iterator[str]:
    # A condition of the window cannot name a token.
    for name, value in _DECLARATION.findall(re.sub(r"@media[^{]*\{", "{", _plain(sheet))):
        if _LITERAL.search(value):
            yield f"{name}: {value}"


def _read_tokens() -> dict[str, dict[str, str]]:
    """Blocks by what they are for."""
    blocks: dict[str, dict[str, str]] = {"": {}}
    for condition, body in re.findall(r"(?:@media ([^{]*)\{\s*)?:root \{(.*?)\}", _plain(_TOKENS), re.S):
        name = " ".join(word for word in ("contrast", "dark") if word in condition)
        if "print" not in condition and "forced" not in condition:
            blocks.setdefault(name, {}).update(re.findall(r"--([\w-]+): ([^;]+);", body))
    return blocks


def _colours(scheme: str) -> dict[str, str]:
    blocks = _read_tokens()
    merged = dict(blocks[""])
    for name in _SCHEMES[scheme]:
        merged |= blocks[name]
    return merged


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _list_used_pairs() -> set[tuple[str, str]]:
    """Words and their ground where one rule names both."""
    pairs = set()
    for path in _SHEETS:
        for _selector, body in _RULE.findall(_plain(path.read_text())):
            told = dict(_DECLARATION.findall(body.replace("!important", "") + ";"))
            word, ground = (re.fullmatch(r"var\(--([\w-]+)\)", told.get(name, "").strip()) for name in ("color", "background"))
            if word and ground:
                pairs.add((word[1], ground[1]))
    return pairs - {("on-chosen", "chosen")}


@pytest.mark.parametrize("path", _SHEETS, ids=lambda path: path.name)
def test_a_sheet_has_no_colour_and_no_size_of_its_own(path: Path) -> None:
    assert list(_find_literals(path.read_text())) == []


@pytest.mark.parametrize("value", ["#fff", "12px", ".9375rem", "rgba(0, 0, 0, .2)", "1px solid var(--line)", "white", "2mm"])
def test_a_literal_is_found(value: str) -> None:
    assert list(_find_literals(f"a {{ border: {value}; }}"))


def test_a_name_that_a_sheet_uses_is_a_token_and_every_token_is_used() -> None:
    sheets = "".join(path.read_text() for path in _SHEETS)
    named = set(re.findall(r"var\(--([\w-]+)\)", sheets + _TOKENS))
    assert named == set(_colours("light"))


@pytest.mark.parametrize("scheme", _SCHEMES)
def test_words_are_read_on_their_ground(scheme: str) -> None:
    """WCAG 1.4.3 (4.5 to 1) and 1.4.11 (3 to 1 for what is no word); with more contrast 1.4.6 (7 to 1)."""
    colours, wanted = _colours(scheme), 7 if "contrast" in scheme else 4.5
    words = {*_WORDS, *_list_used_pairs()}
    amiss = {(word, ground) for word, ground in words if _contrast(colours[word], colours[ground]) < wanted}
    amiss |= {(sign, ground) for sign, ground in _SEEN if _contrast(colours[sign], colours[ground]) < 3}
    assert amiss == set()


def test_the_dark_has_a_colour_of_its_own_for_each() -> None:
    blocks = _read_tokens()
    colours = {name for name, value in blocks[""].items() if value.startswith("#")}
    assert colours - set(blocks["dark"]) == {"white"}


def test_the_page_of_components_shows_each_of_them() -> None:
    components = Path(__file__).parents[3] / "apps/portal/templates/components"
    macros = {name for path in components.glob("*.html") for name in re.findall(r"{% macro (\w+)", path.read_text())}
    shown = set(re.findall(r"\bui\.(\w+)\(", (components.parents[1] / "public/design.html").read_text()))
    assert macros - shown == {"label"}, "a label is part of a field"
