"""Refusals of cases. In `db.school`."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from chassis.db import Connection
from services.access.rules.guardianships import AuthorityEnding
from services.access.rules.names import PersonName
from services.access.rules.refusals import LastEnrolment, Proof, Refusal, RefusalGround, RefusalReason


async def list_refusals(connection: Connection, school_id: UUID, application_ids: Sequence[UUID]) -> dict[UUID, Refusal]:
    """The refusals of cases, by case."""
    rows = await connection.fetch(
        """
        SELECT r.application_id, r.ground, r.reason, r.evidence, r.propose_time, r.year, r.number, r.sign_time,
               r.authority_ending, p.family_name, p.given_name, p.patronymic
        FROM refusals r
        LEFT JOIN account_people h ON h.school_id = r.school_id AND h.account_id = r.signed_by_account_id
        LEFT JOIN people p ON p.school_id = h.school_id AND p.person_id = h.person_id
        WHERE r.school_id = $1 AND r.application_id = ANY ($2::uuid[])
        """,
        school_id,
        application_ids,
    )
    return {row["application_id"]: _read(row) for row in rows}


async def save_proposal(
    connection: Connection,
    school_id: UUID,
    application_id: UUID,
    ground: RefusalGround,
    proof: Proof,
    account_id: UUID,
    now: datetime,
) -> None:
    """A proposal, in place of one that was not signed; a statement is its own evidence (Clause R21)."""
    await connection.execute(
        """
        INSERT INTO refusals (school_id, application_id, ground, statement_id, evidence, proposed_by_account_id, propose_time,
                              reason, fact_date, fact_order_number, fact_order_date, authority_ending)
        VALUES ($1, $2, $3::smallint, CASE WHEN $3::smallint = 3 THEN $2::uuid END, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (school_id, application_id) DO UPDATE
        SET ground = excluded.ground, statement_id = excluded.statement_id, evidence = excluded.evidence,
            reason = excluded.reason, fact_date = excluded.fact_date, fact_order_number = excluded.fact_order_number,
            fact_order_date = excluded.fact_order_date, authority_ending = excluded.authority_ending,
            proposed_by_account_id = excluded.proposed_by_account_id, propose_time = excluded.propose_time
        WHERE refusals.sign_time IS NULL
        """,
        school_id,
        application_id,
        ground,
        proof.evidence,
        account_id,
        now,
        proof.reason,
        proof.fact_date,
        proof.fact_order_number,
        proof.fact_order_date,
        proof.authority_ending,
    )


async def find_last_enrolment(connection: Connection, school_id: UUID, student_id: UUID, day: date) -> LastEnrolment | None:
    """The student's last enrolment that is over on a day; None for one who never was a student."""
    row = await connection.fetchrow(
        """
        SELECT upper(validity) - 1 AS last_day, coalesce(end_order_number, '') AS order_number FROM enrolments
        WHERE school_id = $1 AND student_id = $2 AND upper(validity) <= $3 ORDER BY validity DESC LIMIT 1
        """,
        school_id,
        student_id,
        day,
    )
    return LastEnrolment(**row) if row else None


async def sign(
    connection: Connection, school_id: UUID, application_id: UUID, proof: Proof, account_id: UUID, year: int, now: datetime
) -> int:
    """Signs a proposal with the evidence as it now is, under the next number of the school and year; returns the number.

    The counter is held until the transaction ends, and a transaction that does not commit gives its number back: no gaps.
    """
    number: int = await connection.fetchval(
        """
        WITH next AS (
            INSERT INTO counters (school_id, name, year, value) VALUES ($1, 'refusals', $5, 1)
            ON CONFLICT (school_id, name, year) DO UPDATE SET value = counters.value + 1 RETURNING value
        )
        UPDATE refusals SET evidence = $3, signed_by_account_id = $4, year = $5, number = next.value, sign_time = $6,
            reason = $7, fact_date = $8, fact_order_number = $9, fact_order_date = $10, authority_ending = $11
        FROM next WHERE school_id = $1 AND application_id = $2 RETURNING number
        """,
        school_id,
        application_id,
        proof.evidence,
        account_id,
        year,
        now,
        proof.reason,
        proof.fact_date,
        proof.fact_order_number,
        proof.fact_order_date,
        proof.authority_ending,
    )
    return number


async def set_state(connection: Connection, school_id: UUID, application_id: UUID, state: int) -> None:
    """Sets a state that decides nothing yet."""
    await connection.execute(
        "UPDATE applications SET state = $3, version = version + 1 WHERE school_id = $1 AND application_id = $2",
        school_id,
        application_id,
        state,
    )


async def meet_deadlines(
    connection: Connection, school_id: UUID, applicant_ids: Sequence[UUID], evidence: str, now: datetime
) -> list[bool]:
    """Notes that the applicants' cases are decided (decision 4); returns of each deadline whether in time."""
    rows = await connection.fetch(
        """
        UPDATE deadlines SET met_time = $4, evidence = $3
        WHERE school_id = $1 AND clause = 'R15' AND subject_id = ANY ($2::uuid[]) AND met_time IS NULL
        RETURNING $4 <= due_time AS in_time
        """,
        school_id,
        applicant_ids,
        evidence,
        now,
    )
    return [row["in_time"] for row in rows]


def _read(row: asyncpg.Record) -> Refusal:
    return Refusal(
        application_id=row["application_id"],
        ground=RefusalGround(row["ground"]),
        reason=RefusalReason(row["reason"]) if row["reason"] else None,
        evidence=row["evidence"],
        propose_time=row["propose_time"],
        year=row["year"],
        number=row["number"],
        sign_time=row["sign_time"],
        signer=PersonName(row["family_name"], row["given_name"], row["patronymic"]) if row["family_name"] else None,
        authority_ending=AuthorityEnding(row["authority_ending"]) if row["authority_ending"] else None,
    )
