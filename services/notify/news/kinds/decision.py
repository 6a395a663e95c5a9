"""A signed refusal with what proves the head's signature (R22, R23): to the applicant, who need not have an account.

Whether it is still to be sent, and where, access says at each attempt; no ending cancels it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from diary.access.v1 import decision_service_pb2
from diary.documents.v1 import document_pb2, events_pb2
from diary.notify.v1 import delivery_pb2
from services.notify.news import store
from services.notify.news.convert import File, Words, render
from services.notify.news.notice import Content, Notice, Sources, ask, hears
from services.notify.news.rules import Fact, Taken, name_file, one_line, write_date


@dataclass(frozen=True, slots=True)
class SignedDecision:
    """A signed refusal and what it answers. `scan` and `signature` are empty where the head signed in the other way (R22)."""

    number: str
    school_name: str
    application_number: str
    application_date: date
    pdf: bytes
    scan: bytes
    signature: bytes


def read_signed(signed: events_pb2.DocumentSigned) -> Iterable[Fact]:
    """The applicant of a refusal, once for the paper; other papers are given otherwise."""
    if signed.kind == document_pb2.DOCUMENT_KIND_REFUSAL:
        document_id = UUID(signed.document_id)
        yield Fact(document_id, applicant_id=UUID(signed.applicant_id), key=document_id)


async def fetch(taken: Taken, sources: Sources) -> Content | None:
    """The paper with the head's signature; a paper that documents does not give is an error, not unwanted."""
    asked = decision_service_pb2.GetDecisionReceiverRequest(
        school_id=str(taken.school_id), applicant_id=str(taken.applicant_id)
    )
    receiver = await ask(sources.decisions.GetDecisionReceiver(asked))
    if receiver is None:
        return None
    class_id = UUID(receiver.class_id) if receiver.class_id else None
    async with sources.database.school(taken.school_id) as connection:
        await store.put_class(connection, taken.school_id, taken.delivery_id, class_id)
    wanted = document_pb2.FetchDocumentRequest(school_id=str(taken.school_id), document_id=str(taken.object_id))
    decision = _read(receiver, await sources.documents.FetchDocument(wanted))
    return Content(receiver.email, write(decision, sources.portal_url))


def _read(
    receiver: decision_service_pb2.GetDecisionReceiverResponse, fetched: document_pb2.FetchDocumentResponse
) -> SignedDecision:
    return SignedDecision(
        one_line(fetched.document.number),
        one_line(receiver.school_name),
        one_line(receiver.application_number),
        date.fromisoformat(receiver.application_date),
        fetched.pdf,
        fetched.scan,
        fetched.signature,
    )


def write(decision: SignedDecision, portal_url: str) -> Words:
    """Neither words nor files' names name anybody."""
    name = name_file(decision.number)
    files = [File(f"{name}.pdf", "decision.pdf", "решение с электронной печатью", decision.pdf, "pdf")]
    if decision.scan:
        note = "скан-копия решения, которое руководитель подписал собственноручно"
        files.append(File(f"{name} скан.pdf", "decision-scan.pdf", note, decision.scan, "pdf"))
    if decision.signature:
        note = "электронная подпись руководителя под этим файлом"
        # A type of signatures would make mail programs take it for the letter's own, and hide it.
        files.append(File(f"{name}.pdf.sig", "decision.pdf.sig", note, decision.signature, "octet-stream"))
    values = {
        "school_name": decision.school_name,
        "day": write_date(decision.application_date),
        "number": decision.application_number,
        "files": files,
        "is_signed_electronically": bool(decision.signature),
        "verify": f"{portal_url}/verify",
    }
    return render("decision", values, files)


NOTICE = Notice(
    delivery_pb2.NOTICE_KIND_DECISION,
    "decision",
    [hears(events_pb2.DocumentSigned, read_signed)],
    fetch,
    has_files=True,
    names_object="document_id",
)
