"""Scans that wait, and how papers were signed. In `db.school`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.auth import Caller
from chassis.db import Connection
from diary.options.v1 import options_pb2
from services.documents.register.rules import Certified, Confirmed, Document, Scanned, State
from services.documents.register.store import COLUMNS, FROM, build_document, works_for

# Who may attach signatures and confirm scans.
HEAD = (options_pb2.ROLE_HEAD,)
FIND_TO_SIGN = f"""
SELECT {COLUMNS}, d.pdf_streebog256, d.pdf_streebog512 {FROM}
  AND (d.document_id = $5 OR d.pdf_streebog256 = $6 OR d.pdf_streebog512 = $6) AND {works_for(*HEAD)}
"""
LIST_BY_CODE = f"SELECT {COLUMNS} {FROM} AND d.code = ANY($2::text[])"


@dataclass(frozen=True, slots=True)
class ToSign:
    """A paper that a signature is attached to, with the hashes that the signature may name."""

    document: Document
    hashes: tuple[bytes, bytes]


async def list_by_code(connection: Connection, school_id: UUID, codes: Sequence[str]) -> dict[str, Document]:
    """Papers of the school by their codes, for one who was shown to work for it."""
    found = [build_document(row) for row in await connection.fetch(LIST_BY_CODE, school_id, list(codes))]
    return {document.code: document for document in found}


async def find_to_sign(
    connection: Connection, school_id: UUID, wanted: UUID | bytes, who: Caller, now: datetime
) -> ToSign | None:
    """A paper by its id or by the hash that a signature names, for the head."""
    document_id, digest = (wanted, None) if isinstance(wanted, UUID) else (None, wanted)
    row = await connection.fetchrow(FIND_TO_SIGN, school_id, who.account_id, who.session_id, now, document_id, digest)
    return None if row is None else ToSign(build_document(row), (row["pdf_streebog256"], row["pdf_streebog512"]))


async def insert_signature(connection: Connection, school_id: UUID, document_id: UUID, signing: Certified, file: bytes) -> bool:
    """Keeps the signature that was attached to a paper; False when it was signed before."""
    status = await connection.execute(
        """
        INSERT INTO signings (school_id, document_id, way, upload_time, account_id, file, owner_name, serial_number,
                              valid_from_time, valid_to_time)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING
        """,
        school_id,
        document_id,
        State.SIGNED_ELECTRONICALLY,
        signing.upload_time,
        signing.uploader_id,
        file,
        signing.owner_name,
        signing.serial_number,
        signing.valid_from,
        signing.valid_to,
    )
    return status.endswith(" 1")


async def insert_scan(connection: Connection, school_id: UUID, document_id: UUID, scan: Scanned, file: bytes) -> bool:
    """Keeps a scan that waits for the head's word; False when the paper was signed before."""
    status = await connection.execute(
        """
        INSERT INTO scans (school_id, document_id, upload_time, account_id, signed_date, file)
        SELECT $1, $2, $3, $4, $5, $6
        WHERE NOT EXISTS (SELECT FROM signings WHERE school_id = $1 AND document_id = $2)
        """,
        school_id,
        document_id,
        scan.upload_time,
        scan.uploader_id,
        scan.signed_date,
        file,
    )
    return status.endswith(" 1")


async def confirm_scans(connection: Connection, school_id: UUID, scan_ids: Sequence[UUID], confirmed: Confirmed) -> list[UUID]:
    """Signs the papers of these scans by the head's word; their ids, without those whose scan another one has replaced, or that
    were signed before.
    """
    rows = await connection.fetch(
        """
        INSERT INTO signings (school_id, document_id, way, upload_time, account_id, file, signed_date, scan_id, confirm_time,
                              confirmer_account_id)
        SELECT c.school_id, c.document_id, $3, c.upload_time, c.account_id, c.file, c.signed_date, c.scan_id, $4, $5
        FROM scans c
        WHERE c.school_id = $1 AND c.scan_id = ANY ($2) AND NOT EXISTS (
            SELECT FROM scans n WHERE n.school_id = $1 AND n.document_id = c.document_id AND n.scan_id > c.scan_id
        )
        ON CONFLICT DO NOTHING RETURNING document_id
        """,
        school_id,
        list(scan_ids),
        State.SIGNED_ON_PAPER,
        confirmed.time,
        confirmed.account_id,
    )
    return [row["document_id"] for row in rows]


async def list_originals(connection: Connection, school_id: UUID, document_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """The sealed PDFs of papers by their ids, for one who was shown to work with them."""
    rows = await connection.fetch(
        "SELECT document_id, pdf FROM documents WHERE school_id = $1 AND document_id = ANY ($2)", school_id, list(document_ids)
    )
    return {row["document_id"]: row["pdf"] for row in rows}
