"""What anyone may verify, in protobuf."""

from datetime import date

from diary.documents.v1 import document_pb2
from services.documents.register.rules import Kind, State
from services.documents.verifying.rules import IssuedSheet


def write_valid(kind: Kind, day: date, state: State, owner_name: str, pdf_sha256: bytes) -> document_pb2.VerifyDocumentResponse:
    """What anyone may know of a paper that is the school's and unchanged; `owner_name` of an attached signature's
    certificate.
    """
    return document_pb2.VerifyDocumentResponse(
        verdict=document_pb2.VERDICT_VALID,
        kind=kind.value,  # type: ignore[arg-type]  # a number of the enum
        document_date=day.isoformat(),
        state=state.value,  # type: ignore[arg-type]  # a number of the enum
        pdf_sha256=pdf_sha256.hex(),
        signature_owner_name=owner_name,
    )


def write_valid_sheet(sheet: IssuedSheet) -> document_pb2.VerifyDocumentResponse:
    """What anyone may know of a weekly sheet, or of the file of several, that the school issued."""
    return document_pb2.VerifyDocumentResponse(
        verdict=document_pb2.VERDICT_VALID,
        kind=document_pb2.DOCUMENT_KIND_WEEKLY_SHEET,
        document_date=sheet.printed_date.isoformat(),
        pdf_sha256=sheet.pdf_sha256.hex(),
        sheet_number=sheet.number,
        monday_date=sheet.monday.isoformat(),
        school_name=sheet.school_name,
    )
