"""The register of papers, and how they were signed. In `db.school` unless it says otherwise."""

# ruff: noqa: S608 - the statements are composed of constants of this room

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from chassis import sight
from chassis.auth import Caller
from chassis.db import Connection
from diary.options.v1 import options_pb2
from services.documents.register.rules import Certified, Confirmed, Document, Kind, Scanned, State

# Who works with all papers of a school.
OFFICE = (options_pb2.ROLE_SECRETARY, options_pb2.ROLE_ADMIN, options_pb2.ROLE_HEAD)

# $1 school, $2 account, $3 session, $4 now.
_VIEWER = sight.Viewer()
_OFFICE = sight.works_for_school("$1", *OFFICE)


def works_for(*roles: int) -> str:
    """Whether the viewer has one of these roles towards the school."""
    return _VIEWER.may(sight.works_for_school("$1", *roles))


_IN_OFFICE = works_for(*OFFICE)
# Who may open a paper: the office, the class teacher of its class, and the account of whom it concerns.
_MAY_OPEN = f"""
(d.account_id = $2 OR EXISTS (
    SELECT FROM relations r WHERE {_VIEWER.holds(_OFFICE, sight.works_with_class("d.class_id"))}
)) AND {_VIEWER.lives()}
"""

COLUMNS = """
d.document_id, d.kind, d.number, d.document_date, d.time_zone, d.addressee_name, d.application_id, d.applicant_id, d.code,
d.pdf_sha256, d.page_count, d.create_time,
s.way, s.upload_time, s.signed_date, s.owner_name, s.serial_number, s.valid_from_time, s.valid_to_time,
s.account_id AS uploader_id, s.scan_id, s.confirm_time, s.confirmer_account_id,
c.scan_id AS waiting_scan_id, c.upload_time AS scan_upload_time, c.signed_date AS scan_signed_date,
c.account_id AS scan_uploader_id
"""
# Of scans that are not confirmed yet the newest is the one that waits.
FROM = """
FROM documents d
LEFT JOIN signings s ON s.school_id = $1 AND s.document_id = d.document_id
LEFT JOIN LATERAL (
    SELECT scan_id, upload_time, signed_date, account_id, file FROM scans
    WHERE s.way IS NULL AND school_id = $1 AND document_id = d.document_id ORDER BY scan_id DESC LIMIT 1
) c ON true
WHERE d.school_id = $1
"""
# A page of the papers that a caller may open ($2..$4 as above) before a key ($5): walks along an index each, of the whole
# school, of each own class, of the caller's own, that meet in a page ($6).
_WALK = """
SELECT d.document_id FROM documents d WHERE d.school_id = $1 AND d.document_id < $5 AND {whose} AND {state}
ORDER BY d.document_id DESC LIMIT $6
"""
_PAGE = f"""
WITH mine AS MATERIALIZED (
    SELECT DISTINCT r.kind, r.object_id FROM relations r
    WHERE {_VIEWER.holds(_OFFICE, sight.works_with_class("r.object_id"))}
)
SELECT document_id FROM (
    ({_WALK.format(whose=f"EXISTS (SELECT FROM mine WHERE kind = {sight.SCHOOL})", state="{state}")})
    UNION SELECT w.document_id FROM mine
    CROSS JOIN LATERAL ({_WALK.format(whose="d.class_id = mine.object_id", state="{state}")}) w WHERE mine.kind = {sight.CLASS}
    UNION ({_WALK.format(whose="d.account_id = $2", state="{state}")})
) q ORDER BY document_id DESC LIMIT $6
"""
_LIST_DOCUMENTS = f"""
SELECT {COLUMNS} {FROM} AND d.document_id = ANY (ARRAY({_PAGE}))
  AND {_VIEWER.lives()}
ORDER BY d.document_id DESC
"""
_LIST_ALL = _LIST_DOCUMENTS.format(state="true")
_LIST_OF_STATE = _LIST_DOCUMENTS.format(state="d.state = $7")
# A case has few papers.
_LIST_OF_CASE = f"""
SELECT {COLUMNS} {FROM} AND d.application_id = $5 AND ($6::smallint IS NULL OR d.state = $6) AND d.document_id < $7
  AND {_MAY_OPEN}
ORDER BY d.document_id DESC LIMIT $8
"""
FIND_DOCUMENT = f"SELECT {COLUMNS} {FROM} AND d.document_id = $5 AND {_MAY_OPEN}"
# A scan that is not confirmed is for those who work with all papers: whom the paper concerns would take it for signed.
_FIND_FILES = f"""
SELECT d.pdf, coalesce(s.way, CASE WHEN {_IN_OFFICE} THEN {State.SCAN_UNCONFIRMED} END) AS way,
       coalesce(s.file, c.file) AS file
{FROM} AND d.document_id = $5 AND {_MAY_OPEN}
"""
_LIST_PDFS = f"SELECT d.number, d.code, d.pdf {FROM} AND d.document_id = ANY($5::uuid[]) AND {_IN_OFFICE}"
_SUM_SIZES = f"SELECT count(*), sum(length(d.pdf)) {FROM} AND d.document_id = ANY($5::uuid[]) AND {_IN_OFFICE}"
_LIST_BY_IDS = f"SELECT {COLUMNS} {FROM} AND d.document_id = ANY($2::uuid[]) ORDER BY d.document_id DESC"


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A paper to be kept, with its sealed PDF and its hashes; ids of the account and the class where there are any."""

    school_id: UUID
    kind: Kind
    number: str
    document_date: date
    time_zone: str
    addressee_name: str
    application_id: UUID
    applicant_id: UUID
    account_id: UUID | None
    class_id: UUID | None
    code: str
    page_count: int
    create_time: datetime
    pdf: bytes
    pdf_sha256: bytes
    pdf_streebog256: bytes
    pdf_streebog512: bytes


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a paper: empty where there is none."""

    pdf: bytes
    scan: bytes
    signature: bytes


async def insert_document(connection: Connection, new: NewDocument) -> UUID | None:
    """Keeps a paper and what anyone may verify of it; None when the applicant has one of this kind already."""
    document_id: UUID | None = await connection.fetchval(
        """
        INSERT INTO documents (school_id, kind, number, document_date, time_zone, addressee_name, application_id, applicant_id,
                               account_id, class_id, code, page_count, create_time, pdf, pdf_sha256, pdf_streebog256,
                               pdf_streebog512)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        ON CONFLICT ON CONSTRAINT documents_one_of_a_kind_for_an_applicant DO NOTHING RETURNING document_id
        """,
        new.school_id,
        new.kind,
        new.number,
        new.document_date,
        new.time_zone,
        new.addressee_name,
        new.application_id,
        new.applicant_id,
        new.account_id,
        new.class_id,
        new.code,
        new.page_count,
        new.create_time,
        new.pdf,
        new.pdf_sha256,
        new.pdf_streebog256,
        new.pdf_streebog512,
    )
    if document_id is not None:
        await connection.execute(
            """
            INSERT INTO sealed_documents (code, pdf_sha256, school_id, document_id, kind, document_date)
            VALUES ($1, $2, $3, $4, $5, $6)
            """,
            new.code,
            new.pdf_sha256,
            new.school_id,
            document_id,
            new.kind,
            new.document_date,
        )
    return document_id


async def list_documents(
    connection: Connection,
    school_id: UUID,
    who: Caller,
    now: datetime,
    *,
    application_id: UUID | None,
    state: State | None,
    before: UUID,
    limit: int,
) -> list[Document]:
    """Papers that the caller may open, the newest first, before a key."""
    asked = (school_id, who.account_id, who.session_id, now)
    if application_id is not None:
        rows = await connection.fetch(_LIST_OF_CASE, *asked, application_id, state, before, limit)
    elif state is not None:
        rows = await connection.fetch(_LIST_OF_STATE, *asked, before, limit, state)
    else:
        rows = await connection.fetch(_LIST_ALL, *asked, before, limit)
    return [build_document(row) for row in rows]


async def find_document(
    connection: Connection, school_id: UUID, document_id: UUID, who: Caller, now: datetime
) -> Document | None:
    """A paper that the caller may open; None when absent or not for the caller."""
    row = await connection.fetchrow(FIND_DOCUMENT, school_id, who.account_id, who.session_id, now, document_id)
    return None if row is None else build_document(row)


async def find_files(connection: Connection, school_id: UUID, document_id: UUID, who: Caller, now: datetime) -> Files | None:
    """The files of a paper that the caller may open."""
    row = await connection.fetchrow(_FIND_FILES, school_id, who.account_id, who.session_id, now, document_id)
    return None if row is None else _build_files(row)


async def find_signed(connection: Connection, school_id: UUID, document_id: UUID) -> tuple[Document, Files] | None:
    """A signed paper with its files, for the service that sends it; None when absent or not signed yet."""
    row = await connection.fetchrow(
        f"SELECT {COLUMNS}, d.pdf, s.file {FROM} AND d.document_id = $2 AND s.way IS NOT NULL", school_id, document_id
    )
    return None if row is None else (build_document(row), _build_files(row))


async def list_by_ids(connection: Connection, school_id: UUID, document_ids: Sequence[UUID]) -> list[Document]:
    """Papers by their ids, the newest first, for one who was shown to work with them."""
    return [build_document(row) for row in await connection.fetch(_LIST_BY_IDS, school_id, list(document_ids))]


async def works_for_school(connection: Connection, school_id: UUID, who: Caller, now: datetime, roles: Sequence[int]) -> bool:
    """Whether the caller has one of the roles towards the school."""
    statement = f"SELECT {works_for(*roles)}"
    return bool(await connection.fetchval(statement, school_id, who.account_id, who.session_id, now))


async def measure_pdfs(
    connection: Connection, school_id: UUID, document_ids: Sequence[UUID], who: Caller, now: datetime
) -> tuple[int, int]:
    """How many of these papers the caller's office has, and their bytes together."""
    [row] = await connection.fetch(_SUM_SIZES, school_id, who.account_id, who.session_id, now, list(document_ids))
    return row[0], row[1] or 0


async def list_pdfs(
    connection: Connection, school_id: UUID, document_ids: Sequence[UUID], who: Caller, now: datetime
) -> list[tuple[str, str, bytes]]:
    """Number, code and sealed PDF of papers of the caller's office, the oldest first."""
    rows = await connection.fetch(
        f"{_LIST_PDFS} ORDER BY d.document_id",
        school_id,
        who.account_id,
        who.session_id,
        now,
        list(document_ids),
    )
    return [(row["number"], row["code"], row["pdf"]) for row in rows]


async def count_unsigned(connection: Connection) -> tuple[int, datetime | None]:
    """How many papers of all schools wait for a signature, and since when the oldest does. In `db.jobs`."""
    [row] = await connection.fetch(
        """
        SELECT count(*) AS waiting, min(d.create_time) AS oldest FROM documents d
        WHERE NOT EXISTS (SELECT FROM signings s WHERE s.school_id = d.school_id AND s.document_id = d.document_id)
        """
    )
    return row["waiting"], row["oldest"]


def build_document(row: Any) -> Document:
    """The paper of a row of COLUMNS."""
    return Document(
        document_id=row["document_id"],
        kind=Kind(row["kind"]),
        number=row["number"],
        document_date=row["document_date"],
        time_zone=row["time_zone"],
        addressee_name=row["addressee_name"],
        application_id=row["application_id"],
        applicant_id=row["applicant_id"],
        code=row["code"],
        pdf_sha256=row["pdf_sha256"],
        page_count=row["page_count"],
        create_time=row["create_time"],
        signing=_build_signing(row),
    )


def _build_signing(row: Any) -> Scanned | Certified | None:
    if row["way"] == State.SIGNED_ELECTRONICALLY:
        return Certified(
            row["upload_time"],
            row["uploader_id"],
            row["owner_name"],
            row["serial_number"],
            row["valid_from_time"],
            row["valid_to_time"],
        )
    if row["way"] == State.SIGNED_ON_PAPER:
        is_confirmed = row["confirm_time"] is not None
        confirmed = Confirmed(row["confirm_time"], row["confirmer_account_id"]) if is_confirmed else None
        return Scanned(row["upload_time"], row["signed_date"], row["uploader_id"], row["scan_id"], confirmed)
    if row["waiting_scan_id"] is None:
        return None
    return Scanned(row["scan_upload_time"], row["scan_signed_date"], row["scan_uploader_id"], row["waiting_scan_id"])


def _build_files(row: Any) -> Files:
    way, file = row["way"], row["file"]
    return Files(
        row["pdf"],
        file or b"" if way in (State.SIGNED_ON_PAPER, State.SCAN_UNCONFIRMED) else b"",
        file if way == State.SIGNED_ELECTRONICALLY else b"",
    )
