"""Guardians' declarations for paper (Clause R8). In `db.school`."""

# ruff: noqa: S608 - the statements are composed of constants of this room and of chassis

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from chassis.db import Connection, among
from services.access.people.rules.declarations import (
    DeclarationForm,
    Declared,
    ListedDeclaration,
    OwnDeclaration,
    PaperDeclaration,
    PaperReason,
    PrintoutWay,
)
from services.access.people.rules.names import PersonName


async def insert_declaration(
    connection: Connection,
    school_id: UUID,
    application_id: UUID | None,
    student_id: UUID,
    declared: Declared,
    account_id: UUID,
    day: date,
) -> PaperDeclaration:
    """A declaration under the next number of the school and the year of `day`; one that was open is revoked before.

    The counter is held until the transaction ends, and a transaction that does not commit gives its number back: no gaps.
    """
    row = await connection.fetchrow(
        """
        WITH next AS (
            INSERT INTO counters (school_id, name, year, value) VALUES ($1, 'paper_declarations', $5, 1)
            ON CONFLICT (school_id, name, year) DO UPDATE SET value = counters.value + 1 RETURNING value
        )
        INSERT INTO paper_declarations (school_id, application_id, student_id, guardian_person_id, year, number, declare_date,
                                        reason, declines_printouts, printout_way, printout_way_note, form,
                                        recorded_by_account_id)
        SELECT $1, $2, $3, $4, $5, value, $6, $7, $8, $9, $10, $11, $12 FROM next
        RETURNING declaration_id, student_id, guardian_person_id, year, number, declare_date, reason, declines_printouts,
                  printout_way AS way, printout_way_note AS way_note, revoke_time
        """,
        school_id,
        application_id,
        student_id,
        declared.guardian_person_id,
        day.year,
        declared.declare_date,
        declared.reason,
        declared.declines_printouts,
        declared.way,
        declared.way_note,
        declared.form,
        account_id,
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
                  printout_way AS way, printout_way_note AS way_note, revoke_time
        """,
        school_id,
        student_id,
        guardian_ids,
        now,
    )
    return [_read(row) for row in rows]


async def revoke_lapsed_declarations(
    connection: Connection, school_id: UUID, day: date, now: datetime
) -> list[PaperDeclaration]:
    """Ends the open declarations of people who are on a day no guardians of the student any more; returns them."""
    rows = await connection.fetch(
        """
        UPDATE paper_declarations d SET revoke_time = $3
        WHERE d.school_id = $1 AND d.revoke_time IS NULL AND NOT EXISTS (
            SELECT FROM standing_guardianships g
            WHERE g.school_id = $1 AND g.student_id = d.student_id AND g.guardian_person_id = d.guardian_person_id
              AND g.validity @> $2::date)
        RETURNING declaration_id, student_id, guardian_person_id, year, number, declare_date, reason, declines_printouts,
                  printout_way AS way, printout_way_note AS way_note, revoke_time
        """,
        school_id,
        day,
        now,
    )
    return [_read(row) for row in rows]


async def list_declarations(connection: Connection, school_id: UUID, application_id: UUID) -> list[PaperDeclaration]:
    """The declarations that a statement made."""
    rows = await connection.fetch(
        """
        SELECT declaration_id, student_id, guardian_person_id, year, number, declare_date, reason, declines_printouts,
               printout_way AS way, printout_way_note AS way_note, revoke_time
        FROM paper_declarations WHERE school_id = $1 AND application_id = $2
        """,
        school_id,
        application_id,
    )
    return [_read(row) for row in rows]


async def list_listed(
    connection: Connection, school_id: UUID, student_id: UUID, guardian_id: UUID | None, before: UUID, limit: int
) -> list[ListedDeclaration]:
    """Declarations about a student before an id, the newest first: of one guardian, or of all."""
    rows = await connection.fetch(
        """
        SELECT d.declaration_id, d.student_id, d.guardian_person_id, d.year, d.number, d.declare_date, d.reason,
               d.declines_printouts, d.printout_way AS way, d.printout_way_note AS way_note, d.revoke_time, d.form,
               p.family_name, p.given_name, p.patronymic
        FROM paper_declarations d JOIN people p ON p.school_id = d.school_id AND p.person_id = d.guardian_person_id
        WHERE d.school_id = $1 AND d.student_id = $2 AND d.declaration_id < $4
          AND ($3::uuid IS NULL OR d.guardian_person_id = $3)
        ORDER BY d.declaration_id DESC LIMIT $5
        """,
        school_id,
        student_id,
        guardian_id,
        before,
        limit,
    )
    return [_read_listed(row) for row in rows]


async def list_own_declarations(
    connection: Connection, school_id: UUID, account_id: UUID, before: UUID, limit: int
) -> list[OwnDeclaration]:
    """Declarations before an id of the account's person, the newest first, with the students' names."""
    rows = await connection.fetch(
        """
        SELECT d.declaration_id, d.student_id, d.guardian_person_id, d.year, d.number, d.declare_date, d.reason,
               d.declines_printouts, d.printout_way AS way, d.printout_way_note AS way_note, d.revoke_time, d.form,
               p.family_name, p.given_name, p.patronymic
        FROM paper_declarations d JOIN people p ON p.school_id = d.school_id AND p.person_id = d.student_id
        WHERE d.school_id = $1 AND d.declaration_id < $3
          AND d.guardian_person_id = (SELECT person_id FROM account_people WHERE school_id = $1 AND account_id = $2)
        ORDER BY d.declaration_id DESC LIMIT $4
        """,
        school_id,
        account_id,
        before,
        limit,
    )
    return [OwnDeclaration(*_read_with_name(row)) for row in rows]


async def find_listed(
    connection: Connection, school_id: UUID, student_id: UUID, declaration_id: UUID
) -> ListedDeclaration | None:
    """A declaration about a student, locked until the transaction ends."""
    row = await connection.fetchrow(
        """
        SELECT d.declaration_id, d.student_id, d.guardian_person_id, d.year, d.number, d.declare_date, d.reason,
               d.declines_printouts, d.printout_way AS way, d.printout_way_note AS way_note, d.revoke_time, d.form,
               p.family_name, p.given_name, p.patronymic
        FROM paper_declarations d JOIN people p ON p.school_id = d.school_id AND p.person_id = d.guardian_person_id
        WHERE d.school_id = $1 AND d.student_id = $2 AND d.declaration_id = $3 FOR UPDATE OF d
        """,
        school_id,
        student_id,
        declaration_id,
    )
    return _read_listed(row) if row else None


async def list_roster_declarations(
    connection: Connection, school_id: UUID, ids: Sequence[UUID] | None, after: UUID, limit: int
) -> list[ListedDeclaration]:
    """Declarations after an id, revoked ones too; only those of `ids` where given."""
    rows = await connection.fetch(
        f"""
        SELECT d.declaration_id, d.student_id, d.guardian_person_id, d.year, d.number, d.declare_date, d.reason,
               d.declines_printouts, d.printout_way AS way, d.printout_way_note AS way_note, d.revoke_time, d.form,
               p.family_name, p.given_name, p.patronymic
        FROM paper_declarations d JOIN people p ON p.school_id = d.school_id AND p.person_id = d.guardian_person_id
        WHERE d.school_id = $1 AND d.declaration_id > $3 AND {among("d.declaration_id", ids)}
        ORDER BY d.declaration_id LIMIT $4
        """,
        school_id,
        ids,
        after,
        limit,
    )
    return [_read_listed(row) for row in rows]


def _read(row: asyncpg.Record) -> PaperDeclaration:
    return PaperDeclaration(**{**row, "reason": PaperReason(row["reason"]), "way": PrintoutWay(row["way"])})


def _read_listed(row: asyncpg.Record) -> ListedDeclaration:
    return ListedDeclaration(*_read_with_name(row))


def _read_with_name(row: asyncpg.Record) -> tuple[PaperDeclaration, PersonName, DeclarationForm]:
    kept = dict(row)
    name = PersonName(*(kept.pop(part) for part in ("family_name", "given_name", "patronymic")))
    form = DeclarationForm(kept.pop("form"))
    kept |= {"reason": PaperReason(kept["reason"]), "way": PrintoutWay(kept["way"])}
    return PaperDeclaration(**kept), name, form
