"""Refusals of cases. In `db.school`."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from chassis.db import Connection
from services.access.cases.rules.refusals import LastEnrolment, Proof, Refusal, RefusalGround, RefusalReason
from services.access.people.rules.guardianships import AuthorityEnding
from services.access.people.store.people import read_name


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


async def list_last_enrolments(
    connection: Connection, school_id: UUID, student_ids: Sequence[UUID], day: date
) -> dict[UUID, LastEnrolment]:
    """Students' last enrolments that are over on a day, by student; without those who never were students."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (student_id)
            student_id, upper(validity) - 1 AS last_day, coalesce(end_order_number, '') AS order_number
        FROM enrolments WHERE school_id = $1 AND student_id = ANY ($2::uuid[]) AND upper(validity) <= $3
        ORDER BY student_id, validity DESC
        """,
        school_id,
        student_ids,
        day,
    )
    return {row["student_id"]: LastEnrolment(row["last_day"], row["order_number"]) for row in rows}


async def sign(
    connection: Connection, school_id: UUID, proofs: Mapping[UUID, Proof], account_id: UUID, year: int, now: datetime
) -> dict[UUID, int]:
    """Signs proposals with the evidence as it now is, by case, under the next numbers of the school and year, in their order;
    returns the numbers.

    The counter is held until the transaction ends, and a transaction that does not commit gives its numbers back: no gaps.
    """
    rows = await connection.fetch(
        """
        WITH counted AS (
            INSERT INTO counters (school_id, name, year, value) VALUES ($1, 'refusals', $3, cardinality($5::uuid[]))
            ON CONFLICT (school_id, name, year) DO UPDATE SET value = counters.value + excluded.value RETURNING value
        )
        UPDATE refusals r SET signed_by_account_id = $2, year = $3, sign_time = $4, evidence = p.evidence, reason = p.reason,
            fact_date = p.fact_date, fact_order_number = p.fact_order_number, fact_order_date = p.fact_order_date,
            authority_ending = p.authority_ending, number = counted.value - cardinality($5) + p.place
        FROM counted, unnest($5, $6::text[], $7::smallint[], $8::date[], $9::text[], $10::date[], $11::smallint[])
            WITH ORDINALITY AS p (application_id, evidence, reason, fact_date, fact_order_number, fact_order_date,
                                  authority_ending, place)
        WHERE r.school_id = $1 AND r.application_id = p.application_id RETURNING r.application_id, r.number
        """,
        school_id,
        account_id,
        year,
        now,
        list(proofs),
        [proof.evidence for proof in proofs.values()],
        [proof.reason for proof in proofs.values()],
        [proof.fact_date for proof in proofs.values()],
        [proof.fact_order_number for proof in proofs.values()],
        [proof.fact_order_date for proof in proofs.values()],
        [proof.authority_ending for proof in proofs.values()],
    )
    return {row["application_id"]: row["number"] for row in rows}


async def set_state(connection: Connection, school_id: UUID, application_id: UUID, state: int) -> None:
    """Sets a state that decides nothing yet."""
    await connection.execute(
        "UPDATE applications SET state = $3, version = version + 1 WHERE school_id = $1 AND application_id = $2",
        school_id,
        application_id,
        state,
    )


async def meet_deadlines(connection: Connection, school_id: UUID, evidence: Mapping[UUID, str], now: datetime) -> list[bool]:
    """Notes by which evidence each applicant's case is decided (decision 4); returns of each deadline whether in time."""
    rows = await connection.fetch(
        """
        UPDATE deadlines d SET met_time = $4, evidence = m.evidence
        FROM unnest($2::uuid[], $3::text[]) AS m (applicant_id, evidence)
        WHERE d.school_id = $1 AND d.clause = 'R15' AND d.subject_id = m.applicant_id AND d.met_time IS NULL
        RETURNING $4 <= d.due_time AS in_time
        """,
        school_id,
        list(evidence),
        list(evidence.values()),
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
        signer=read_name(row) if row["family_name"] else None,
        authority_ending=AuthorityEnding(row["authority_ending"]) if row["authority_ending"] else None,
    )
