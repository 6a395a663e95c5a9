"""Which pages of a scan are whose, as rules (R22)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.documents.decisions.rules import write_link
from services.documents.register.rules import Document, Kind, Scanned
from services.documents.signing.convert.scans import parse_mark
from services.documents.signing.rules import Mismatch, PageMark, match_scan

_TIME = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _paper(code: str, pages: int, *, is_signed: bool = False) -> Document:
    return Document(
        document_id=uuid4(),
        kind=Kind.REFUSAL,
        number="1",
        document_date=_TIME.date(),
        time_zone="Europe/Simferopol",
        addressee_name="",
        application_id=uuid4(),
        applicant_id=uuid4(),
        code=code,
        pdf_sha256=b"",
        page_count=pages,
        create_time=_TIME,
        signing=Scanned(_TIME, date(2026, 11, 20), uuid4()) if is_signed else None,
    )


_PAPERS = {"a": _paper("a", 1), "b": _paper("b", 2), "c": _paper("c", 3), "s": _paper("s", 1, is_signed=True)}
_MARKS = st.one_of(st.none(), st.builds(PageMark, st.sampled_from(["a", "b", "c", "s", "x"]), st.integers(1, 4)))


@given(st.lists(_MARKS, max_size=12))
def test_each_page_is_kept_once_or_named_once_and_a_kept_paper_is_whole_in_order(marks: list[PageMark | None]) -> None:
    """Clause R22: nothing that was scanned is lost in silence."""
    plan = match_scan(marks, _PAPERS)
    kept = [page.place + 1 for _, pages in plan.kept for page in pages]
    named = [place for place, _ in plan.mismatches]
    assert sorted(kept + named) == list(range(1, len(marks) + 1))
    for paper, found in plan.kept:
        assert [mark.page for page in found if (mark := marks[page.place])] == [page.page for page in found]
        pages = [page.page for page in found]
        assert paper.signing is None
        assert pages == sorted(pages)
        assert set(pages) == set(range(1, paper.page_count + 1))


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        (None, Mismatch.NO_CODE),
        (PageMark("x", 1), Mismatch.UNKNOWN_DOCUMENT),
        (PageMark("a", 2), Mismatch.UNKNOWN_DOCUMENT),
        (PageMark("b", 1), Mismatch.PAGE_MISSING),
        (PageMark("s", 1), Mismatch.ALREADY_SIGNED),
    ],
)
def test_a_page_that_is_not_kept_says_why(mark: PageMark | None, reason: Mismatch) -> None:
    assert match_scan([mark], _PAPERS).mismatches == [(1, reason)]


def test_a_mark_is_read_whatever_the_portals_address_was() -> None:
    link = write_link("https://old.example/diary/", "aleks-7k3m-qx4d-9p2w", 2)
    assert parse_mark(link) == PageMark("aleks-7k3m-qx4d-9p2w", 2)
    for other in (
        "https://x/verify?code=a",
        "https://x/other?code=a&page=1",
        "https://x/verify?code=a&page=x",
        "http://[",
        "1",
    ):
        assert parse_mark(other) is None
