"""The register of papers in protobuf."""

from uuid import UUID

from diary.documents.v1 import document_pb2, events_pb2
from services.documents.register.rules import Certified, Document, Scanned


def write_document(document: Document) -> document_pb2.Document:
    """A paper."""
    message = document_pb2.Document(
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


def _write_scan(scan: Scanned, message: document_pb2.Scan) -> None:
    message.signed_date = scan.signed_date.isoformat()
    message.upload_time.FromDatetime(scan.upload_time)
    message.uploader_account_id = str(scan.uploader_id)
    message.scan_id = str(scan.scan_id or "")
    if scan.confirmed is not None:
        message.confirm_time.FromDatetime(scan.confirmed.time)
        message.confirmer_account_id = str(scan.confirmed.account_id)


def _write_signature(signing: Certified, message: document_pb2.Signature) -> None:
    message.owner_name = signing.owner_name
    message.serial_number = signing.serial_number
    message.upload_time.FromDatetime(signing.upload_time)
    message.valid_from_time.FromDatetime(signing.valid_from)
    message.valid_to_time.FromDatetime(signing.valid_to)


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
