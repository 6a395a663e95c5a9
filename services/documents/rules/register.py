"""The register of papers: what a paper is, how it is signed, and which pages of a scan are whose (Clause R22)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.errors import FieldViolation, InvalidArgument


class Kind(IntEnum):
    """Of a paper, in the numbers of DocumentKind."""

    REFUSAL = 1


class State(IntEnum):
    """Where a paper stands, in the numbers of DocumentState."""

    AWAITS_SIGNATURE = 1
    SIGNED_ON_PAPER = 2
    SIGNED_ELECTRONICALLY = 3


class Mismatch(IntEnum):
    """Why a page or a file was not kept, in the numbers of MismatchReason."""

    NO_CODE = 1
    UNKNOWN_DOCUMENT = 2
    PAGE_MISSING = 3
    ALREADY_SIGNED = 4
    NO_SIGNATURE = 5
    SIGNATURE_INVALID = 6


@dataclass(frozen=True, slots=True)
class Scanned:
    """Signed by hand, on which day, and when its scan was uploaded."""

    upload_time: datetime
    signed_date: date


@dataclass(frozen=True, slots=True)
class Certified:
    """Signed electronically, as the certificate says; `serial_number` in hex."""

    upload_time: datetime
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
class PageMark:
    """What a page's QR code says: the paper's code, and which of its pages it is, from 1."""

    code: str
    page: int


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """What is to be kept of a scan: each paper with its pages of the file, from 0; and the others, from 1, with the reason."""

    kept: list[tuple[Document, list[int]]]
    mismatches: list[tuple[int, Mismatch]]


def find_state(signing: Scanned | Certified | None) -> State:
    """Where a paper stands that was signed so."""
    if signing is None:
        return State.AWAITS_SIGNATURE
    return State.SIGNED_ON_PAPER if isinstance(signing, Scanned) else State.SIGNED_ELECTRONICALLY


def match_scan(marks: Sequence[PageMark | None], papers: Mapping[str, Document]) -> ScanPlan:
    """Matches the pages of a scan to the papers by code; nothing of a paper is kept of which a page lacks (Clause R22)."""
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    mismatches = []
    for place, mark in enumerate(marks):
        paper = papers.get(mark.code) if mark else None
        if mark is None:
            mismatches.append((place + 1, Mismatch.NO_CODE))
        elif paper is None or mark.page > paper.page_count:
            mismatches.append((place + 1, Mismatch.UNKNOWN_DOCUMENT))
        elif paper.signing is not None:
            mismatches.append((place + 1, Mismatch.ALREADY_SIGNED))
        else:
            found[mark.code].append((mark.page, place))
    kept = []
    for code, pages in found.items():
        # A page that was scanned twice stays twice: nothing that may bear a signature is dropped.
        if {page for page, _ in pages} == set(range(1, papers[code].page_count + 1)):
            kept.append((papers[code], [place for _, place in sorted(pages)]))
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


def clean_code(typed: str) -> str:
    """A code as it is kept, of one that a person typed: spaces, capitals and long dashes do no harm."""
    return "".join(typed.split()).casefold().replace("\N{EN DASH}", "-").replace("\N{EM DASH}", "-")
