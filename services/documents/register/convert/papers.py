"""The register of papers in protobuf."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from chassis.errors import FieldViolation, InvalidArgument
from diary.documents.v1 import document_service_pb2 as pb
from diary.documents.v1 import events_pb2
from services.documents.register.rules import Certified, Document, IssuedSheet, Kind, Mismatch, Scanned, State


def write_document(document: Document) -> pb.Document:
    """A paper."""
    message = pb.Document(
        document_id=str(document.document_id),
        kind=document.kind.value,  # type: ignore[arg-type]  # a number of the enum
        number=document.number,
        document_date=document.document_date.isoformat(),
        addressee_name=document.addressee_name,
        application_id=str(document.application_id),
        applicant_id=str(document.applicant_id),
        code=document.code,
        pdf_sha256=document.pdf_sha256.hex(),
        state=document.state.value,  # type: ignore[arg-type]  # a number of the enum
        page_count=document.page_count,
    )
    message.create_time.FromDatetime(document.create_time)
    match document.signing:
        case Scanned():
            _write_scan(document.signing, message.scan)
        case Certified():
            _write_signature(document.signing, message.signature)
    return message


def _write_scan(scan: Scanned, message: pb.Scan) -> None:
    message.signed_date = scan.signed_date.isoformat()
    message.upload_time.FromDatetime(scan.upload_time)
    message.uploader_account_id = str(scan.uploader_id)
    message.scan_id = str(scan.scan_id or "")
    if scan.confirmed is not None:
        message.confirm_time.FromDatetime(scan.confirmed.time)
        message.confirmer_account_id = str(scan.confirmed.account_id)


def _write_signature(signing: Certified, message: pb.Signature) -> None:
    message.owner_name = signing.owner_name
    message.serial_number = signing.serial_number
    message.upload_time.FromDatetime(signing.upload_time)
    message.valid_from_time.FromDatetime(signing.valid_from)
    message.valid_to_time.FromDatetime(signing.valid_to)


def write_mismatches(mismatches: Iterable[tuple[int, Mismatch]]) -> list[pb.Mismatch]:
    """Pages or files that were not kept, by their places from 1."""
    return [
        pb.Mismatch(place=place, reason=reason.value)  # type: ignore[arg-type]  # a number of the enum
        for place, reason in mismatches
    ]


def write_valid(kind: Kind, day: date, state: State, owner_name: str, pdf_sha256: bytes) -> pb.VerifyDocumentResponse:
    """What anyone may know of a paper that is the school's and unchanged; `owner_name` of an attached signature's
    certificate.
    """
    return pb.VerifyDocumentResponse(
        verdict=pb.VERDICT_VALID,
        kind=kind.value,  # type: ignore[arg-type]  # a number of the enum
        document_date=day.isoformat(),
        state=state.value,  # type: ignore[arg-type]  # a number of the enum
        pdf_sha256=pdf_sha256.hex(),
        signature_owner_name=owner_name,
    )


def write_valid_sheet(sheet: IssuedSheet) -> pb.VerifyDocumentResponse:
    """What anyone may know of a weekly sheet, or of the file of several, that the school issued."""
    return pb.VerifyDocumentResponse(
        verdict=pb.VERDICT_VALID,
        kind=pb.DOCUMENT_KIND_WEEKLY_SHEET,
        document_date=sheet.printed_date.isoformat(),
        pdf_sha256=sheet.pdf_sha256.hex(),
        sheet_number=sheet.number,
        monday_date=sheet.monday.isoformat(),
        school_name=sheet.school_name,
    )


def read_signed_date(text: str) -> date | None:
    """The day of signing; None for today. Raises InvalidArgument REQUEST_INVALID at a day that does not exist."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        description = "must be a day of the calendar"
        violation = FieldViolation("signed_date", description)
        raise InvalidArgument("REQUEST_INVALID", f"signed_date: {description}", violations=(violation,)) from None


def write_issued(
    school_id: UUID, document_id: UUID, kind: int, application_id: UUID, applicant_id: UUID
) -> events_pb2.DocumentIssued:
    """The event of a new paper."""
    return events_pb2.DocumentIssued(
        school_id=str(school_id),
        document_id=str(document_id),
        kind=kind,  # type: ignore[arg-type]  # a number of the enum
        application_id=str(application_id),
        applicant_id=str(applicant_id),
    )


def write_signed(school_id: UUID, document: Document) -> events_pb2.DocumentSigned:
    """The event of a paper that was signed."""
    how = document.signing
    assert how is not None  # it was signed
    return events_pb2.DocumentSigned(
        school_id=str(school_id),
        document_id=str(document.document_id),
        kind=document.kind.value,  # type: ignore[arg-type]  # a number of the enum
        application_id=str(document.application_id),
        applicant_id=str(document.applicant_id),
        state=document.state.value,  # type: ignore[arg-type]  # a number of the enum
        uploader_account_id=str(how.uploader_id),
        confirmer_account_id=str(how.confirmed.account_id) if isinstance(how, Scanned) and how.confirmed else "",
    )
