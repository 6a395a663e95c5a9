"""Refusals that wait for the head, decisions that wait for a signature, and what became of uploaded files (Clause R22)."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.portal import dates
from apps.portal.office.words import APPENDICES, GROUNDS
from apps.portal.people import applications_url, document_url
from diary.access.v1 import application_pb2
from diary.documents.v1 import document_pb2, signing_pb2

_SCAN_MISMATCHES = {
    signing_pb2.MISMATCH_REASON_NO_CODE: "на странице не читается QR-код; отсканируйте её ровнее и целиком",
    signing_pb2.MISMATCH_REASON_UNKNOWN_DOCUMENT: "это не решение вашей школы",
    signing_pb2.MISMATCH_REASON_PAGE_MISSING: "в файле нет другой страницы того же решения; отсканируйте все его страницы",
    signing_pb2.MISMATCH_REASON_ALREADY_SIGNED: "это решение уже подписано",
    signing_pb2.MISMATCH_REASON_ORIGINAL: "это исходный файл решения, рукой на нём ничего не подписано; отсканируйте бумагу",
}
_SIGNATURE_MISMATCHES = {
    signing_pb2.MISMATCH_REASON_UNKNOWN_DOCUMENT: "подписан не тот файл: такого решения в школе нет",
    signing_pb2.MISMATCH_REASON_ALREADY_SIGNED: "это решение уже подписано",
    signing_pb2.MISMATCH_REASON_NO_SIGNATURE: "это не файл отсоединённой подписи (.sig, .p7s) одного подписавшего",
    signing_pb2.MISMATCH_REASON_SIGNATURE_INVALID: "подпись не по ГОСТ, не подходит к сертификату, или он не действовал",
}


@dataclass(frozen=True, slots=True)
class ProposedRow:
    """A refusal to be signed."""

    application_id: str
    url: str
    number: str
    student_name: str
    class_name: str
    appendix: str
    ground: str
    evidence: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A decision without a signature."""

    document_id: str
    url: str
    number: str
    date: str
    addressee: str


@dataclass(frozen=True, slots=True)
class ScannedRow:
    """A decision whose scan waits for the head's word."""

    scan_id: str
    url: str
    number: str
    date: str
    addressee: str
    signed_date: str


@dataclass(frozen=True, slots=True)
class UploadResult:
    """What became of an upload: in `kept` numbers of the decisions, after the word that says what they are now; and what was
    not kept and why.
    """

    word: str
    kept: tuple[str, ...]
    failures: tuple[tuple[str, str], ...]


def build_proposed(
    school_id: str, cases: Iterable[application_pb2.Application], chosen: frozenset[str] | None = None
) -> tuple[ProposedRow, ...]:
    """The refusals that wait, all chosen; of a form that was refused those that were."""
    return tuple(
        ProposedRow(
            application_id=case.application_id,
            url=f"{applications_url(school_id)}/{case.application_id}",
            number=case.number,
            student_name=case.student_name,
            class_name=case.class_name,
            appendix=APPENDICES.get(case.kind, APPENDICES[application_pb2.APPLICATION_KIND_APPENDIX_1]).replace(
                " № ", "\u00a0№\u00a0"
            ),
            ground=GROUNDS.get(case.refusal.ground, ""),
            evidence=case.refusal.evidence.replace("№ ", "№\u00a0"),
            is_chosen=chosen is None or case.application_id in chosen,
        )
        for case in cases
    )


def build_waiting(school_id: str, documents: Iterable[document_pb2.Document]) -> tuple[WaitingRow, ...]:
    """The decisions without a signature."""
    return tuple(
        WaitingRow(
            document_id=document.document_id,
            url=document_url(school_id, document.document_id),
            number=document.number,
            date=dates.numeric(document.document_date),
            addressee=document.addressee_name,
        )
        for document in documents
    )


def build_scanned(school_id: str, documents: Iterable[document_pb2.Document]) -> tuple[ScannedRow, ...]:
    """The decisions whose scan is not confirmed."""
    return tuple(
        ScannedRow(
            scan_id=document.scan.scan_id,
            url=f"{document_url(school_id, document.document_id)}/scan",
            number=document.number,
            date=dates.numeric(document.document_date),
            addressee=document.addressee_name,
            signed_date=dates.numeric(document.scan.signed_date),
        )
        for document in documents
    )


def build_confirmed(answer: signing_pb2.ConfirmScansResponse) -> UploadResult:
    """All of them."""
    return UploadResult("Подписано решений", tuple(document.number for document in answer.documents), ())


def build_scan_result(answer: signing_pb2.UploadScanResponse) -> UploadResult:
    """Pages by their number."""
    failures = tuple(
        (f"Страница\u00a0{one.place}", _SCAN_MISMATCHES.get(one.reason, "не принята")) for one in answer.mismatches
    )
    return UploadResult("Загружено сканов", tuple(document.number for document in answer.documents), failures)


def build_signatures_result(answer: signing_pb2.AttachSignaturesResponse) -> UploadResult:
    """Files by their name."""
    failures = tuple(
        (one.file_name or f"Файл\u00a0{one.place}", _SIGNATURE_MISMATCHES.get(one.reason, "не принят"))
        for one in answer.mismatches
    )
    return UploadResult("Подписи приложены к решениям", tuple(document.number for document in answer.documents), failures)
