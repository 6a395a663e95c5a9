"""Signings in protobuf."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from chassis.errors import FieldViolation, InvalidArgument
from diary.documents.v1 import events_pb2, signing_pb2
from services.documents.register.rules import Document, Scanned
from services.documents.signing.rules import Mismatch


def read_signed_date(text: str) -> date | None:
    """The day of signing; None for today. Raises InvalidArgument REQUEST_INVALID at a day that does not exist."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        description = "must be a day of the calendar"
        violation = FieldViolation("signed_date", description)
        raise InvalidArgument("REQUEST_INVALID", f"signed_date: {description}", violations=(violation,)) from None


def write_mismatches(mismatches: Iterable[tuple[int, Mismatch]]) -> list[signing_pb2.Mismatch]:
    """Pages or files that were not kept, by their places from 1."""
    return [
        signing_pb2.Mismatch(place=place, reason=reason.value)  # type: ignore[arg-type]  # a number of the enum
        for place, reason in mismatches
    ]


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
