"""Refusals: what access says of a decision read, the paper made of it."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pypdfium2
import segno
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.names import build_signed_name
from diary.access.v1 import application_pb2, decision_pb2
from services.documents.decisions.rules import Decision, DecisionPage, Ground, Letterhead, Reason, build_decision, write_link
from services.documents.press.convert.pdf import render
from services.documents.register.convert.seal import Sealer
from services.documents.register.convert.streebog import hash_streebog

# A decision takes one page, or two where names and addresses are as long as fields let them be.
_MOST_PAGES = 8


@dataclass(frozen=True, slots=True)
class Paper:
    """A sealed PDF with its hashes."""

    pdf: bytes
    page_count: int
    sha256: bytes
    streebog256: bytes
    streebog512: bytes


def make_paper(sealer: Sealer, portal_url: str, school_id: UUID, decision: Decision, code: str, now: datetime) -> Paper:
    """The decision as the school's sealed paper. Takes some 0.6 s, most of it Streebog: call it in an executor."""
    links = [write_link(portal_url, code, page) for page in range(1, _MOST_PAGES + 1)]
    rendered = render_decision(build_decision(decision, code), links)
    head = decision.letterhead
    sealed = sealer.seal(rendered, school_id, head.name, head.full_name, now)
    return Paper(sealed, _count_pages(sealed), hashlib.sha256(sealed).digest(), *hash_streebog(sealed))


def _count_pages(pdf: bytes) -> int:
    with pypdfium2.PdfDocument(pdf) as document:
        return len(document)


def read_decisions(messages: Sequence[decision_pb2.Decision]) -> list[Decision]:
    """An applicant's copies of a decision."""
    return [_read_decision(message) for message in messages]


def _read_decision(message: decision_pb2.Decision) -> Decision:
    zone = ZoneInfo(message.time_zone)
    return Decision(
        application_id=UUID(message.application_id),
        applicant_id=UUID(message.applicant_id),
        account_id=UUID(message.account_id) if message.account_id else None,
        class_id=UUID(message.class_id) if message.class_id else None,
        number=message.number,
        decided=_read_local(message.decide_time, zone),
        time_zone=message.time_zone,
        letterhead=_read_letterhead(message.letterhead),
        applicant_name=message.applicant_name,
        applicant_email=message.applicant_email,
        application_number=message.application_number,
        registered=_read_local(message.register_time, zone),
        kind=message.kind or application_pb2.APPLICATION_KIND_APPENDIX_1,
        regulation_title=message.regulation_title,
        regulation_order_number=message.regulation_order_number,
        regulation_order_date=_read_date(message.regulation_order_date),
        ground=Ground(message.ground),
        reason=Reason(message.reason),
        student_name=message.student_name,
        class_name=message.class_name,
        of_age=_read_date(message.of_age_date),
        checked=_read_local(message.check_time, zone) if message.HasField("check_time") else None,
        left=_read_date(message.left_date),
        left_order_number=message.left_order_number,
        authority_ending=message.authority_ending_words,
        access_ended=_read_local(message.access_end_time, zone) if message.HasField("access_end_time") else None,
        paper_number=message.paper_number,
        declines_printouts=message.declines_printouts,
        keeps_student_access=message.keeps_student_access,
        keeps_guardian_access=message.keeps_guardian_access,
        is_own_statement_of_student=message.is_own_statement_of_student,
        # Whole where access did not tell its parts: a name is never cut.
        signer_name=build_signed_name(message.signer) if message.HasField("signer") else message.signer_name,
        signer_position=message.signer_position,
        preparer_name=message.preparer_name,
    )


def _read_letterhead(message: decision_pb2.Letterhead) -> Letterhead:
    return Letterhead(
        school_code=message.school_code,
        name=message.name,
        full_name=message.full_name,
        address=message.address,
        phone=message.phone,
        email=message.email,
        site=message.site,
        locality=message.locality,
        founder=message.founder,
        founder_contacts=message.founder_contacts,
    )


def _read_date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _read_local(instant: Timestamp, zone: ZoneInfo) -> datetime:
    return instant.ToDatetime(UTC).astimezone(zone)


def render_decision(page: DecisionPage, links: Sequence[str]) -> bytes:
    """A decision as PDF; `links` are what the QR codes of its pages hold, in their order, and no page may lack one."""
    return render("decision.typ", {"page": page, "codes": [draw_page_code(link) for link in links]})


def draw_page_code(link: str) -> str:
    """A link as QR code in SVG; the paper around is its quiet zone. It is printed, signed, scanned: a quarter may be lost."""
    drawing = io.BytesIO()
    segno.make_qr(link, error="q").save(drawing, kind="svg", border=0)
    return drawing.getvalue().decode()
