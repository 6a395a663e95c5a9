"""Applicants of cases, with their terms (Clause R15). In `db.school`."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import asyncpg

from chassis.db import Connection
from services.access.cases.rules.applications import CLAUSE, Applicant, NewApplicant, NewCase, Way
from services.access.cases.rules.filing import KnownPerson
from services.access.people.rules.guardianships import Authority, AuthorityEnd, AuthorityEnding, GuardianKind
from services.access.people.store.people import read_name
from services.access.rights.rules.grants import write_application_number


async def list_applicants(
    connection: Connection, school_id: UUID, application_ids: Sequence[UUID], today: date, now: datetime
) -> list[Applicant]:
    """Applicants of cases in the order of filing. `today`: the day on which guardianships shall be in force."""
    rows = await connection.fetch(
        """
        SELECT m.applicant_id, m.application_id, m.person_id, p.family_name, p.given_name, p.patronymic,
               m.guardian_kind AS kind, m.authority_document AS document, m.authority_date AS issue_date,
               m.authority_last_date AS last_date, m.email, m.credentials_way AS way, m.guardianship_id,
               coalesce(f.is_in_force, false) AS is_guardianship_in_force, e.held_to, e.end_ground, e.end_kind, e.end_date,
               e.end_act_number, e.end_act_date, d.due_time, d.met_time, m.grant_id,
               EXISTS (SELECT FROM grants o JOIN relations r ON r.school_id = o.school_id AND r.fact_id = o.grant_id
                       WHERE o.school_id = m.school_id AND o.student_id = c.student_id AND o.holder_person_id = m.person_id
                         AND o.end_time IS NULL AND (r.valid_to_time IS NULL OR r.valid_to_time > $4)) AS has_access,
               a.account_id, coalesce(a.login, '') AS login, coalesce(a.is_activated, false) AS is_activated,
               o.create_time AS slip_time, m.hand_over_time
        FROM applicants m
        JOIN people p USING (school_id, person_id)
        JOIN applications c USING (school_id, application_id)
        LEFT JOIN LATERAL (
            SELECT bool_or(n.validity @> $3::date) AS is_in_force FROM standing_guardianships n
            WHERE n.school_id = m.school_id AND n.student_id = c.student_id AND n.guardian_person_id = m.person_id
              AND (n.kind = 'representative') = (m.guardian_kind = 'representative')
        ) f ON true
        LEFT JOIN LATERAL (
            SELECT upper(n.validity) AS held_to, n.end_ground, n.end_kind, n.end_date, n.end_act_number, n.end_act_date
            FROM guardianships n
            WHERE n.school_id = m.school_id AND n.student_id = c.student_id AND n.guardian_person_id = m.person_id
              AND (n.kind = 'representative') = (m.guardian_kind = 'representative')
            ORDER BY n.validity DESC LIMIT 1
        ) e ON true
        LEFT JOIN deadlines d ON d.school_id = m.school_id AND d.clause = 'R15' AND d.subject_id = m.applicant_id
        LEFT JOIN account_people h ON h.school_id = m.school_id AND h.person_id = m.person_id
        LEFT JOIN accounts a ON a.account_id = h.account_id
        LEFT JOIN one_time_passwords o ON o.account_id = a.account_id AND o.issue_number = a.slip_count
        WHERE m.school_id = $1 AND m.application_id = ANY ($2::uuid[])
        ORDER BY m.application_id, m.place
        """,
        school_id,
        application_ids,
        today,
        now,
    )
    return [_read_applicant(row) for row in rows]


async def insert_applicants(
    connection: Connection, school_id: UUID, application_id: UUID, applicants: Sequence[NewApplicant], case: NewCase
) -> None:
    """Writes the applicants of a case in the order of filing, each with its deadline once the term is known (Clause R15)."""
    await connection.execute(
        """
        WITH filed AS (
            INSERT INTO applicants (school_id, application_id, place, person_id, guardianship_id, guardian_kind,
                                    authority_document, email, credentials_way, paper_reason, declines_printouts,
                                    ends_paper_mode, authority_date, authority_last_date, printout_way, printout_way_note)
            SELECT $1, $2, row_number() OVER (), *
            FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::smallint[], $12::smallint[],
                        $13::boolean[], $14::boolean[], $15::date[], $16::date[], $17::smallint[], $18::text[])
            RETURNING applicant_id
        )
        INSERT INTO deadlines (school_id, clause, subject_id, start_time, due_time)
        SELECT $1, $9, applicant_id, $10, $11 FROM filed WHERE $11::timestamptz IS NOT NULL
        """,
        school_id,
        application_id,
        [applicant.person_id for applicant in applicants],
        [applicant.guardianship_id for applicant in applicants],
        [applicant.kind for applicant in applicants],
        [applicant.authority.document for applicant in applicants],
        [applicant.email for applicant in applicants],
        [applicant.way for applicant in applicants],
        CLAUSE,
        case.term.start_time,
        case.term.due_time,
        [applicant.paper.reason for applicant in applicants],
        [applicant.paper.declines_printouts for applicant in applicants],
        [applicant.paper.ends_mode for applicant in applicants],
        [applicant.authority.issue_date for applicant in applicants],
        [applicant.authority.last_date for applicant in applicants],
        [applicant.paper.way for applicant in applicants],
        [applicant.paper.way_note for applicant in applicants],
    )


async def meet_deadline(
    connection: Connection, school_id: UUID, applicant_id: UUID, grant_id: UUID, now: datetime
) -> bool | None:
    """Notes the applicant's grant, and that access is formed with it as evidence (Clause R15); returns whether in time, None of
    a case that came before any enrolment and has no term.
    """
    in_time: bool | None = await connection.fetchval(
        """
        WITH given AS (UPDATE applicants SET grant_id = $4 WHERE school_id = $1 AND applicant_id = $3)
        UPDATE deadlines SET met_time = $5, evidence = 'grant ' || $4::text
        WHERE school_id = $1 AND clause = $2 AND subject_id = $3 RETURNING $5 <= due_time
        """,
        school_id,
        CLAUSE,
        applicant_id,
        grant_id,
        now,
    )
    return in_time


async def hand_over(connection: Connection, school_id: UUID, applicant_id: UUID, account_id: UUID, now: datetime) -> None:
    """Notes that an applicant's slip was handed over, and by whom (Clause R25)."""
    await connection.execute(
        """
        UPDATE applicants SET hand_over_time = $4, handed_over_by_account_id = $3 WHERE school_id = $1 AND applicant_id = $2
        """,
        school_id,
        applicant_id,
        account_id,
        now,
    )


def _read_applicant(row: asyncpg.Record) -> Applicant:
    parts = {"family_name", "given_name", "patronymic", "document", "issue_date", "last_date"}
    ended = {"end_ground", "end_kind", "end_date", "end_act_number", "end_act_date"}
    return Applicant(
        **{
            **{key: value for key, value in row.items() if key not in parts | ended},
            "name": read_name(row),
            "kind": GuardianKind(row["kind"]) if row["kind"] else None,
            "authority": Authority(row["document"], row["issue_date"], row["last_date"]),
            "ending": _read_end(row) if row["end_ground"] else None,
            "way": Way(row["way"]),
        }
    )


def _read_end(row: asyncpg.Record) -> AuthorityEnd:
    # Of those ended before the kinds no day is kept but their validity's.
    last_date = row["end_date"] or row["held_to"] - timedelta(days=1)
    return AuthorityEnd(
        AuthorityEnding(row["end_kind"] or AuthorityEnding.OTHER), last_date, row["end_act_number"], row["end_act_date"]
    )


async def may_apply_anew(
    connection: Connection, school_id: UUID, person_id: UUID, student_id: UUID, account_id: UUID, now: datetime
) -> bool:
    """Whether a person without a guardianship in force over a student may be named to have one shown: a guardian, now or
    before, of a student for whom the account acts, or an applicant about one, whom no act has parted from this student.
    """
    may: bool = await connection.fetchval(
        """
        SELECT bool_or(cardinality(roles_towards($1, student_id, $4, $5)) > 0)
               AND bool_and(student_id <> $3 OR end_ground IS NULL)
        FROM (
            SELECT student_id, end_ground FROM guardianships WHERE school_id = $1 AND guardian_person_id = $2
            UNION ALL
            SELECT a.student_id, NULL FROM applicants m JOIN applications a USING (school_id, application_id)
            WHERE m.school_id = $1 AND m.person_id = $2 AND m.guardian_kind IS NOT NULL
        ) known
        """,
        school_id,
        person_id,
        student_id,
        account_id,
        now,
    )
    return bool(may)


async def set_guardianship(connection: Connection, school_id: UUID, applicant_id: UUID, guardianship_id: UUID) -> None:
    """Notes the guardianship that an applicant's case has made."""
    await connection.execute(
        "UPDATE applicants SET guardianship_id = $3 WHERE school_id = $1 AND applicant_id = $2",
        school_id,
        applicant_id,
        guardianship_id,
    )


async def lock_registering(connection: Connection, school_id: UUID, student_id: UUID) -> None:
    """Registers the cases of a student one at a time until the transaction ends, so that two forms make one person of one.
    Asked before any row is held, so that nobody who holds a row waits for it.
    """
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))", f"registering {school_id} {student_id}"
    )


async def list_known(connection: Connection, school_id: UUID, student_id: UUID) -> list[KnownPerson]:
    """The guardians on a student's card and the applicants of the student's cases, but for the student and for those whom an
    act has parted from the student: they apply anew as anybody.
    """
    rows = await connection.fetch(
        """
        SELECT k.person_id, p.family_name, p.given_name, p.patronymic, k.kind, k.document, k.number, k.year
        FROM (
            SELECT guardian_person_id AS person_id, kind, document, NULL::integer AS number, NULL::integer AS year
            FROM standing_guardianships WHERE school_id = $1 AND student_id = $2
            UNION ALL
            SELECT m.person_id, m.guardian_kind, m.authority_document, a.number, a.year
            FROM applications a JOIN applicants m USING (school_id, application_id)
            WHERE a.school_id = $1 AND a.student_id = $2 AND m.person_id <> $2
        ) k
        JOIN people p ON p.school_id = $1 AND p.person_id = k.person_id
        WHERE NOT EXISTS (
            SELECT FROM guardianships g WHERE g.school_id = $1 AND g.student_id = $2 AND g.guardian_person_id = k.person_id
                                          AND g.end_ground IS NOT NULL)
        ORDER BY k.year DESC NULLS FIRST, k.number DESC
        """,
        school_id,
        student_id,
    )
    return [
        KnownPerson(
            row["person_id"],
            read_name(row),
            GuardianKind(row["kind"]) if row["kind"] else None,
            row["document"],
            write_application_number(row["number"], row["year"]) if row["number"] is not None else "",
        )
        for row in rows
    ]


async def set_authority(connection: Connection, school_id: UUID, applicant_id: UUID, authority: Authority) -> None:
    """The document that an applicant shows, in place of the one before and of a relation whose term is over."""
    await connection.execute(
        """
        UPDATE applicants
        SET authority_document = $3, authority_date = $4, authority_last_date = $5, guardianship_id = NULL
        WHERE school_id = $1 AND applicant_id = $2
        """,
        school_id,
        applicant_id,
        authority.document,
        authority.issue_date,
        authority.last_date,
    )
