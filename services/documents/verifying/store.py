"""What anyone may verify of papers and weekly sheets, by the code or the file in hand: no names of people."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from chassis.db import Connection
from services.documents.register.rules import Kind, State
from services.documents.verifying.rules import IssuedSheet, read_sheet_code


@dataclass(frozen=True, slots=True)
class SheetPlace:
    """Where a sheet, or a run of sheets, is to be looked for."""

    school_id: UUID
    school_name: str
    year: int = 0
    number: int = 0
    print_run_id: UUID | None = None


async def list_sheets_of_code(connection: Connection, key: str) -> list[SheetPlace]:
    """The places that a folded code may name: of each school whose code it begins with, the longest first. In `db.region`."""
    rows = await connection.fetch(
        """
        SELECT school_id, name, code_key FROM schools_by_code
        WHERE code_key <> '' AND left($1, length(code_key)) = code_key ORDER BY length(code_key) DESC LIMIT 5
        """,
        key,
    )
    found = [(row["school_id"], row["name"], read_sheet_code(key, row["code_key"])) for row in rows]
    return [SheetPlace(school_id, name, *numbered) for school_id, name, numbered in found if numbered]


async def list_runs_of_file(connection: Connection, digest: bytes) -> list[SheetPlace]:
    """The print run whose file has a SHA-256. In `db.region`."""
    rows = await connection.fetch(
        """
        SELECT d.school_id, d.print_run_id,
               coalesce((SELECT name FROM schools_by_code s WHERE s.school_id = d.school_id LIMIT 1), '') AS name
        FROM print_run_digests d WHERE d.pdf_sha256 = $1
        """,
        digest,
    )
    return [SheetPlace(row["school_id"], row["name"], print_run_id=row["print_run_id"]) for row in rows]


async def find_issued(connection: Connection, place: SheetPlace) -> IssuedSheet | None:
    """The sheet or the run at a place. In `db.school`."""
    row = await connection.fetchrow(
        """
        SELECT p.monday_date, (p.create_time AT TIME ZONE p.time_zone)::date AS printed_date, p.pdf_sha256
        FROM print_runs p
        WHERE p.school_id = $1 AND (p.print_run_id = $4 OR p.print_run_id = (
            SELECT print_run_id FROM printouts WHERE school_id = $1 AND year = $2 AND sheet_number = $3
        ))
        """,
        place.school_id,
        place.year,
        place.number,
        place.print_run_id,
    )
    if row is None:
        return None
    return IssuedSheet(place.number, row["monday_date"], place.school_name, row["printed_date"], row["pdf_sha256"])


@dataclass(frozen=True, slots=True)
class Sealed:
    """What anyone may know of a paper."""

    school_id: UUID
    document_id: UUID
    kind: Kind
    document_date: date
    pdf_sha256: bytes


async def get_state(connection: Connection, school_id: UUID, document_id: UUID) -> tuple[State, str]:
    """How a paper was signed, if it was, and whose certificate the signature bears."""
    row = await connection.fetchrow(
        "SELECT way, owner_name FROM signings WHERE school_id = $1 AND document_id = $2", school_id, document_id
    )
    return (State.AWAITS_SIGNATURE, "") if row is None else (State(row["way"]), row["owner_name"] or "")


async def find_sealed(connection: Connection, wanted: str | bytes) -> Sealed | None:
    """What anyone may know of a paper, by its folded code or the SHA-256 of its file. In `db.region`."""
    column = "code_key" if isinstance(wanted, str) else "pdf_sha256"
    row = await connection.fetchrow(
        f"SELECT school_id, document_id, kind, document_date, pdf_sha256 FROM sealed_documents WHERE {column} = $1",  # noqa: S608
        wanted,
    )
    if row is None:
        return None
    return Sealed(row["school_id"], row["document_id"], Kind(row["kind"]), row["document_date"], row["pdf_sha256"])
