"""The register of papers: what a paper is, how it is signed, and which pages of a scan are whose (Clause R22)."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from typing import NamedTuple
from urllib.parse import unquote
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.errors import FieldViolation, InvalidArgument


class Kind(IntEnum):
    """Of a paper, in the numbers of DocumentKind."""

    REFUSAL = 1
    WEEKLY_SHEET = 2


class State(IntEnum):
    """Where a paper stands, in the numbers of DocumentState."""

    AWAITS_SIGNATURE = 1
    SIGNED_ON_PAPER = 2
    SIGNED_ELECTRONICALLY = 3
    SCAN_UNCONFIRMED = 4


# A paper in one of these states is no project any more.
SIGNED = (State.SIGNED_ON_PAPER, State.SIGNED_ELECTRONICALLY)


class Mismatch(IntEnum):
    """Why a page or a file was not kept, in the numbers of MismatchReason."""

    NO_CODE = 1
    UNKNOWN_DOCUMENT = 2
    PAGE_MISSING = 3
    ALREADY_SIGNED = 4
    NO_SIGNATURE = 5
    SIGNATURE_INVALID = 6
    ORIGINAL = 7


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The head's word that a scan bears the head's own signature."""

    time: datetime
    account_id: UUID


@dataclass(frozen=True, slots=True)
class Scanned:
    """Signed by hand, on which day, and when and by whom its scan was uploaded; it counts once it is confirmed.

    `scan_id` None: a scan from before scans were confirmed, which counts as it is.
    """

    upload_time: datetime
    signed_date: date
    uploader_id: UUID
    scan_id: UUID | None = None
    confirmed: Confirmed | None = None


@dataclass(frozen=True, slots=True)
class Certified:
    """A signature was attached, as its certificate says; `serial_number` in hex. Whose it really is was not checked."""

    upload_time: datetime
    uploader_id: UUID
    owner_name: str
    serial_number: str
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class Document:
    """A paper of the register without its files."""

    document_id: UUID
    kind: Kind
    number: str
    document_date: date
    time_zone: str
    addressee_name: str
    application_id: UUID
    applicant_id: UUID
    code: str
    pdf_sha256: bytes
    page_count: int
    create_time: datetime
    signing: Scanned | Certified | None

    @property
    def state(self) -> State:
        """Where it stands."""
        return find_state(self.signing)


@dataclass(frozen=True, slots=True)
class IssuedSheet:
    """What anyone may know of a weekly sheet that a school issued; `number` 0 for a file of several."""

    number: int
    monday: date
    school_name: str
    printed_date: date
    pdf_sha256: bytes


@dataclass(frozen=True, slots=True)
class PageMark:
    """What a page's QR code says: the paper's code, and which of its pages it is, from 1."""

    code: str
    page: int


class PagePlace(NamedTuple):
    """Which page of a paper stands at which place of a file; pages from 1, places from 0."""

    page: int
    place: int


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """What is to be kept of a scan: each paper with the places of its pages; and the other places, from 1, with the reason."""

    kept: list[tuple[Document, list[PagePlace]]]
    mismatches: list[tuple[int, Mismatch]]


def find_state(signing: Scanned | Certified | None) -> State:
    """Where a paper stands of which this came back."""
    match signing:
        case None:
            return State.AWAITS_SIGNATURE
        case Scanned(scan_id=UUID(), confirmed=None):
            return State.SCAN_UNCONFIRMED
        case Scanned():
            return State.SIGNED_ON_PAPER
        case Certified():
            return State.SIGNED_ELECTRONICALLY


def match_scan(marks: Sequence[PageMark | None], papers: Mapping[str, Document]) -> ScanPlan:
    """Matches the pages of a scan to the papers by code; nothing of a paper is kept of which a page lacks (Clause R22)."""
    found: dict[str, list[PagePlace]] = defaultdict(list)
    mismatches = []
    for place, mark in enumerate(marks):
        paper = papers.get(mark.code) if mark else None
        if mark is None:
            mismatches.append((place + 1, Mismatch.NO_CODE))
        elif paper is None or mark.page > paper.page_count:
            mismatches.append((place + 1, Mismatch.UNKNOWN_DOCUMENT))
        elif paper.state in SIGNED:
            mismatches.append((place + 1, Mismatch.ALREADY_SIGNED))
        else:
            found[mark.code].append(PagePlace(mark.page, place))
    kept = []
    for code, pages in found.items():
        # A page that was scanned twice stays twice: nothing that may bear a signature is dropped.
        if {page for page, _ in pages} == set(range(1, papers[code].page_count + 1)):
            kept.append((papers[code], sorted(pages)))
        else:
            mismatches += [(place + 1, Mismatch.PAGE_MISSING) for _, place in pages]
    return ScanPlan(kept, sorted(mismatches))


def check_signed_date(papers: Sequence[Document], signed: date | None, now: datetime) -> date:
    """The day on which papers of one school were signed, today when none is said.

    Raises InvalidArgument REQUEST_INVALID for days to come and days before a paper was made.
    """
    today = max((now.astimezone(ZoneInfo(paper.time_zone)).date() for paper in papers), default=now.date())
    first = max((paper.document_date for paper in papers), default=date.min)
    day = signed or today
    if not first <= day <= today:
        description = "must be a day from the papers' own date to today"
        violation = FieldViolation("signed_date", description)
        raise InvalidArgument("REQUEST_INVALID", f"signed_date: {description}", violations=(violation,))
    return day


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
