"""What statements of Appendix 2 and 3 change: the signers' declarations for paper. In `db.school`."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from chassis.db import Connection
from services.access.rules.guardianships import GuardianKind
from services.access.rules.names import PersonName
from services.access.rules.statements import PaperDeclaration, PaperReason, Signer


async def list_signers(connection: Connection, school_id: UUID, application_id: UUID) -> list[Signer]:
    """Who signed, in the order of filing."""
    rows = await connection.fetch(
        """
        SELECT m.person_id, p.family_name, p.given_name, p.patronymic, m.guardian_kind, m.paper_reason, m.declines_printouts
        FROM applicants m JOIN people p USING (school_id, person_id)
        WHERE m.school_id = $1 AND m.application_id = $2 ORDER BY m.place
        """,
        school_id,
        application_id,
    )
    return [
        Signer(
            person_id=row["person_id"],
            name=PersonName(row["family_name"], row["given_name"], row["patronymic"]),
            kind=GuardianKind(row["guardian_kind"]) if row["guardian_kind"] else None,
            reason=PaperReason(row["paper_reason"]),
            declines_printouts=row["declines_printouts"],
        )
        for row in rows
    ]


async def insert_declaration(
    connection: Connection, school_id: UUID, application_id: UUID, student_id: UUID, signer: Signer, day: date
) -> PaperDeclaration:
    """A declaration under the next number of the school and year; one that was open is revoked before.

    The counter is held until the transaction ends, and a transaction that does not commit gives its number back: no gaps.
    """
    row = await connection.fetchrow(
        """
        WITH next AS (
            INSERT INTO counters (school_id, name, year, value) VALUES ($1, 'paper_declarations', $5, 1)
            ON CONFLICT (school_id, name, year) DO UPDATE SET value = counters.value + 1 RETURNING value
        )
        INSERT INTO paper_declarations (school_id, application_id, student_id, guardian_person_id, year, number, declare_date,
                                        reason, declines_printouts)
        SELECT $1, $2, $3, $4, $5, value, $6, $7, $8 FROM next
        RETURNING declaration_id, student_id, guardian_person_id, year, number, declare_date, reason, declines_printouts,
                  revoke_time
        """,
        school_id,
        application_id,
        student_id,
        signer.person_id,
        day.year,
        day,
        signer.reason,
        signer.declines_printouts,
    )
    assert row is not None
    return _read(row)


async def revoke_declarations(
    connection: Connection, school_id: UUID, student_id: UUID, guardian_ids: Sequence[UUID], now: datetime
) -> list[PaperDeclaration]:
    """Ends the open declarations of guardians about a student; returns them."""
    rows = await connection.fetch(
        """
        UPDATE paper_declarations SET revoke_time = $4
        WHERE school_id = $1 AND student_id = $2 AND guardian_person_id = ANY ($3::uuid[]) AND revoke_time IS NULL
        RETURNING declaration_id, student_id, guardian_person_id, year, number, declare_date, reason, declines_printouts,
                  revoke_time
        """,
        school_id,
        student_id,
        guardian_ids,
        now,
    )
    return [_read(row) for row in rows]


async def list_declarations(connection: Connection, school_id: UUID, application_id: UUID) -> list[PaperDeclaration]:
    """The declarations that a statement made."""
    rows = await connection.fetch(
        """
        SELECT declaration_id, student_id, guardian_person_id, year, number, declare_date, reason, declines_printouts,
               revoke_time
        FROM paper_declarations WHERE school_id = $1 AND application_id = $2
        """,
        school_id,
        application_id,
    )
    return [_read(row) for row in rows]


async def list_ending_their_mode(connection: Connection, school_id: UUID, application_id: UUID) -> list[UUID]:
    """The applicants, as people, who asked that their paper mode end with the granting."""
    rows = await connection.fetch(
        "SELECT person_id FROM applicants WHERE school_id = $1 AND application_id = $2 AND ends_paper_mode",
        school_id,
        application_id,
    )
    return [row["person_id"] for row in rows]


def _read(row: asyncpg.Record) -> PaperDeclaration:
    return PaperDeclaration(**{**row, "reason": PaperReason(row["reason"])})
