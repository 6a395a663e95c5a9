"""The register of papers: what a paper is, and where it stands by how it was signed (Clause R22)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from uuid import UUID

from chassis.errors import NotFound


class Kind(IntEnum):
    """Of a paper, in the numbers of DocumentKind."""

    REFUSAL = 1
    WEEKLY_SHEET = 2


class State(IntEnum):
    """Where a paper stands, in the numbers of DocumentState."""

    AWAITS_SIGNATURE = 1
    SIGNED_ON_PAPER = 2
    SIGNED_ELECTRONICALLY = 3
    SCAN_UNCONFIRMED = 4


# A paper in one of these states is no project any more.
SIGNED = (State.SIGNED_ON_PAPER, State.SIGNED_ELECTRONICALLY)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The head's word that a scan bears the head's own signature."""

    time: datetime
    account_id: UUID


@dataclass(frozen=True, slots=True)
class Scanned:
    """Signed by hand, on which day, and when and by whom its scan was uploaded; it counts once it is confirmed.

    `scan_id` None: a scan from before scans were confirmed, which counts as it is.
    """

    upload_time: datetime
    signed_date: date
    uploader_id: UUID
    scan_id: UUID | None = None
    confirmed: Confirmed | None = None


@dataclass(frozen=True, slots=True)
class Certified:
    """A signature was attached, as its certificate says; `serial_number` in hex. Whose it really is was not checked."""

    upload_time: datetime
    uploader_id: UUID
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


def find_state(signing: Scanned | Certified | None) -> State:
    """Where a paper stands of which this came back."""
    match signing:
        case None:
            return State.AWAITS_SIGNATURE
        case Scanned(scan_id=UUID(), confirmed=None):
            return State.SCAN_UNCONFIRMED
        case Scanned():
            return State.SIGNED_ON_PAPER
        case Certified():
            return State.SIGNED_ELECTRONICALLY


def no_document() -> NotFound:
    """Absent, another's or of another school: alike."""
    return NotFound("DOCUMENT_NOT_FOUND", "no such document that you may open")
