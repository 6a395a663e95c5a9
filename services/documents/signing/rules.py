"""How papers are signed: which pages of a scan are whose, and on which day (Clause R22)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chassis.errors import FieldViolation, InvalidArgument
from services.documents.register.rules import SIGNED, Document


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
