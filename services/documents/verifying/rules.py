"""What a person types or pastes of a code, and what anyone may know of a sheet (Clauses R7, R22)."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class IssuedSheet:
    """What anyone may know of a weekly sheet that a school issued; `number` 0 for a file of several."""

    number: int
    monday: date
    school_name: str
    printed_date: date
    pdf_sha256: bytes


# Letters of other alphabets that look like those of codes, and those of codes that nobody tells apart on paper.
_ALIKE = str.maketrans("асеорхукмтнвіѕјoil", "ace0pxykmthb1sj011")
# Cyrillic letters that look like digits; the code of a school may have them, so that both are looked for.
_DIGITS = str.maketrans("зб", "36")
_SHEET = re.compile(r"(20\d\d)0*([1-9]\d{0,8})")
# A link of ours holds its code so (`write_link`), and people copy the word before a code with it.
_LINK = re.compile(r"[?&]code=([^&#\s]+)", re.IGNORECASE)
_WORDS = re.compile(r"\W*(?:(?:код|документа|листа|проверки)\W+)*", re.IGNORECASE)


def fold_code(typed: str) -> str:
    """What a code is compared by, of one that a person typed from paper or pasted; empty where nothing of a code was typed.

    The same as the column `code_key` makes of a code.

    Hyphens of any kind, or none, spaces, capitals, a full stop after it, invisible letters, Cyrillic letters that look like
    Latin ones, the word «код» before it, the whole link of the QR code: none does harm.
    """
    link = _LINK.search(typed)
    text = unquote(link[1]) if link else _WORDS.sub("", typed, count=1)
    letters = unicodedata.normalize("NFKC", text).lower()
    return "".join(letter for letter in letters if letter.isalnum()).translate(_ALIKE)


def list_keys(typed: str) -> list[str]:
    """What a typed code may be compared by, the likeliest first."""
    key = fold_code(typed)
    return list(dict.fromkeys([key, key.translate(_DIGITS)]))


def read_sheet_code(key: str, school_key: str) -> tuple[int, int] | None:
    """Year and number of the weekly sheet whose folded code this is, of a school with a folded code; None when it is none."""
    found = _SHEET.fullmatch(key.removeprefix(school_key)) if key.startswith(school_key) else None
    return (int(found[1]), int(found[2])) if found else None
