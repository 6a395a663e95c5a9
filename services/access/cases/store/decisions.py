"""What an applicant's copy of a signed refusal says, and how it was signed and given (Clauses R22, R23). In `db.school`."""

# ruff: noqa: S608 - the statements are composed of constants of this room and of chassis/sight.py

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from chassis import sight
from chassis.db import Connection
from chassis.errors import FailedPrecondition
from services.access.cases.rules.applications import Way
from services.access.cases.rules.decisions import (
    Decision,
    DecisionChannel,
    DecisionPaper,
    Receiver,
    Signer,
    SigningWay,
    may_tell_of_child,
)
from services.access.cases.rules.refusals import RefusalGround, RefusalReason
from services.access.cases.rules.statements import ApplicationKind
from services.access.people.rules.guardianships import AuthorityEnd, AuthorityEnding
from services.access.people.rules.regulations import Regulation
from services.access.people.rules.roles import Role
from services.access.people.store.people import read_name


async def list_decisions(connection: Connection, school_id: UUID, application_id: UUID) -> list[Decision]:
    """The copies of a case that is refused with a reason, in the order of filing; none of another case."""
    rows = await connection.fetch(
        f"""
        SELECT m.application_id, m.applicant_id, h.account_id, l.class_id, r.year, r.number, r.sign_time AS decide_time,
               p.family_name, p.given_name, p.patronymic, m.email AS applicant_email,
               a.year AS application_year, a.number AS application_number, a.register_time, a.kind,
               v.title, v.order_number AS regulation_number, v.order_date AS regulation_date, v.valid_from,
               r.ground, r.reason, r.authority_ending, r.fact_order_date,
               t.family_name AS student_family_name, t.given_name AS student_given_name,
               t.patronymic AS student_patronymic, coalesce(c.name, '') AS class_name, r.fact_date, r.fact_order_number,
               g.end_time AS access_end_time, d.number AS paper_number, d.year AS paper_year,
               coalesce(d.declines_printouts, false) AS declines_printouts, m.person_id = a.student_id AS is_own,
               k.keeps_student_access, k.keeps_guardian_access,
               s.family_name AS signer_family_name, s.given_name AS signer_given_name, s.patronymic AS signer_patronymic,
               coalesce(o.is_acting, false) AS is_acting, coalesce(o.order_number, '') AS order_number, o.order_date,
               w.family_name AS preparer_family_name, w.given_name AS preparer_given_name, w.patronymic AS preparer_patronymic
        FROM refusals r
        JOIN schools z ON z.school_id = r.school_id
        JOIN applications a ON a.school_id = r.school_id AND a.application_id = r.application_id
        JOIN regulation_versions v ON v.school_id = a.school_id AND v.regulation_id = a.regulation_id
        JOIN people t ON t.school_id = a.school_id AND t.person_id = a.student_id
        JOIN applicants m ON m.school_id = r.school_id AND m.application_id = r.application_id
        JOIN people p ON p.school_id = m.school_id AND p.person_id = m.person_id
        LEFT JOIN account_people h ON h.school_id = m.school_id AND h.person_id = m.person_id
        LEFT JOIN placements l ON l.school_id = a.school_id AND l.student_id = a.student_id
            AND l.validity @> (r.sign_time AT TIME ZONE z.time_zone)::date
        LEFT JOIN classes c ON c.school_id = l.school_id AND c.class_id = l.class_id
        LEFT JOIN grants g ON g.school_id = r.school_id AND g.end_application_id = r.application_id
            AND g.account_id = h.account_id
        LEFT JOIN paper_declarations d ON d.school_id = r.school_id AND d.application_id = r.application_id
            AND d.guardian_person_id = m.person_id AND (d.revoke_time IS NULL OR d.revoke_time > r.sign_time)
        CROSS JOIN LATERAL (
            SELECT coalesce(bool_or({sight.in_role(Role.STUDENT, alias="o")}), false) AS keeps_student_access,
                   coalesce(bool_or({sight.in_role(Role.GUARDIAN, alias="o")}), false) AS keeps_guardian_access
            FROM grants o
            WHERE o.school_id = r.school_id AND o.student_id = a.student_id AND o.holder_person_id <> m.person_id
              AND o.grant_time <= r.sign_time AND (o.end_time IS NULL OR o.end_time > r.sign_time)
        ) k
        JOIN account_people sh ON sh.school_id = r.school_id AND sh.account_id = r.signed_by_account_id
        JOIN people s ON s.school_id = sh.school_id AND s.person_id = sh.person_id
        LEFT JOIN LATERAL (
            SELECT is_acting, order_number, order_date FROM appointments f
            WHERE school_id = r.school_id AND person_id = s.person_id AND {sight.in_role(Role.HEAD, alias="f")}
              AND validity @> (r.sign_time AT TIME ZONE z.time_zone)::date
        ) o ON true
        JOIN account_people wh ON wh.school_id = r.school_id AND wh.account_id = r.proposed_by_account_id
        JOIN people w ON w.school_id = wh.school_id AND w.person_id = wh.person_id
        WHERE r.school_id = $1 AND r.application_id = $2 AND r.sign_time IS NOT NULL AND r.reason IS NOT NULL
        ORDER BY m.place
        """,
        school_id,
        application_id,
    )
    return [_read_decision(row) for row in rows]


async def find_receiver(connection: Connection, school_id: UUID, applicant_id: UUID) -> Receiver | None:
    """Where an applicant of a refused case wants the decision."""
    row = await connection.fetchrow(
        """
        SELECT m.credentials_way AS way, m.email, coalesce(d.channel IS NOT NULL, false) AS is_given,
               z.name AS school_name, a.year AS application_year, a.number AS application_number,
               (a.register_time AT TIME ZONE z.time_zone)::date AS application_date, l.class_id
        FROM applicants m
        JOIN applications a ON a.school_id = m.school_id AND a.application_id = m.application_id
        JOIN refusals r ON r.school_id = m.school_id AND r.application_id = m.application_id AND r.sign_time IS NOT NULL
        JOIN schools z ON z.school_id = m.school_id
        LEFT JOIN placements l ON l.school_id = a.school_id AND l.student_id = a.student_id
            AND l.validity @> (r.sign_time AT TIME ZONE z.time_zone)::date
        LEFT JOIN decision_papers d ON d.school_id = m.school_id AND d.applicant_id = m.applicant_id
        WHERE m.school_id = $1 AND m.applicant_id = $2
        """,
        school_id,
        applicant_id,
    )
    return Receiver(**{**row, "way": Way(row["way"])}) if row else None


async def list_papers(connection: Connection, school_id: UUID, application_ids: Sequence[UUID]) -> dict[UUID, DecisionPaper]:
    """The papers of cases, by applicant."""
    rows = await connection.fetch(
        """
        SELECT d.document_id, d.application_id, d.applicant_id, d.issue_time, d.signing_way, d.sign_time, d.channel,
               d.deliver_time, p.family_name, p.given_name, p.patronymic
        FROM decision_papers d
        LEFT JOIN account_people h ON h.school_id = d.school_id AND h.account_id = d.delivered_by_account_id
        LEFT JOIN people p ON p.school_id = h.school_id AND p.person_id = h.person_id
        WHERE d.school_id = $1 AND d.application_id = ANY ($2::uuid[])
        """,
        school_id,
        application_ids,
    )
    return {row["applicant_id"]: _read_paper(row) for row in rows}


async def lock_paper(connection: Connection, school_id: UUID, document_id: UUID) -> tuple[UUID, bool] | None:
    """The case of a paper and whether it was given, its row locked until the transaction ends; None of a paper that documents
    has not told of.
    """
    row = await connection.fetchrow(
        """
        SELECT application_id, channel IS NOT NULL AS is_given FROM decision_papers
        WHERE school_id = $1 AND document_id = $2 FOR UPDATE
        """,
        school_id,
        document_id,
    )
    return (row["application_id"], row["is_given"]) if row else None


async def insert_paper(
    connection: Connection, school_id: UUID, document_id: UUID, application_id: UUID, applicant_id: UUID, issue_time: datetime
) -> bool:
    """Notes a paper that was made; false when it is known, since its signature was told first."""
    status = await connection.execute(
        """
        INSERT INTO decision_papers (school_id, document_id, application_id, applicant_id, issue_time)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (school_id, document_id) DO NOTHING
        """,
        school_id,
        document_id,
        application_id,
        applicant_id,
        issue_time,
    )
    return status.endswith(" 1")


async def sign_paper(connection: Connection, school_id: UUID, document_id: UUID, way: SigningWay, sign_time: datetime) -> bool:
    """Notes the head's signature; false when one is known."""
    status = await connection.execute(
        """
        UPDATE decision_papers SET signing_way = $3, sign_time = $4
        WHERE school_id = $1 AND document_id = $2 AND signing_way IS NULL
        """,
        school_id,
        document_id,
        way,
        sign_time,
    )
    return status.endswith(" 1")


async def give_paper(
    connection: Connection,
    school_id: UUID,
    document_id: UUID,
    channel: DecisionChannel,
    account_id: UUID | None,
    now: datetime,
) -> bool:
    """Notes that a signed paper was given; false when it was given already. Raises FailedPrecondition DECISION_NOT_SIGNED."""
    try:
        status = await connection.execute(
            """
            UPDATE decision_papers SET channel = $3, deliver_time = $5, delivered_by_account_id = $4
            WHERE school_id = $1 AND document_id = $2 AND channel IS NULL
            """,
            school_id,
            document_id,
            channel,
            account_id,
            now,
        )
    except asyncpg.CheckViolationError as error:
        if error.constraint_name != "decision_papers_are_signed_before_given":
            raise
        raise FailedPrecondition("DECISION_NOT_SIGNED", "documents has not told of the signature yet") from error
    return status.endswith(" 1")


def _read_decision(row: asyncpg.Record) -> Decision:
    reason = RefusalReason(row["reason"])
    is_told = may_tell_of_child(reason)
    return Decision(
        application_id=row["application_id"],
        applicant_id=row["applicant_id"],
        account_id=row["account_id"],
        class_id=row["class_id"],
        year=row["year"],
        number=row["number"],
        decide_time=row["decide_time"],
        applicant_name=read_name(row),
        applicant_email=row["applicant_email"],
        application_year=row["application_year"],
        application_number=row["application_number"],
        register_time=row["register_time"],
        kind=ApplicationKind(row["kind"]),
        regulation=Regulation(row["title"], row["regulation_number"], row["regulation_date"], row["valid_from"]),
        ground=RefusalGround(row["ground"]),
        reason=reason,
        student_name=read_name(row, "student_") if is_told else None,
        class_name=row["class_name"] if is_told else "",
        fact_date=row["fact_date"],
        fact_order_number=row["fact_order_number"],
        authority_end=_read_end(row) if row["authority_ending"] else None,
        access_end_time=row["access_end_time"],
        paper_number=row["paper_number"],
        paper_year=row["paper_year"],
        declines_printouts=row["declines_printouts"],
        keeps_student_access=row["keeps_student_access"],
        keeps_guardian_access=row["keeps_guardian_access"],
        is_own_statement_of_student=row["is_own"],
        signer=Signer(read_name(row, "signer_"), row["is_acting"], row["order_number"], row["order_date"]),
        preparer_name=read_name(row, "preparer_"),
    )


def _read_end(row: asyncpg.Record) -> AuthorityEnd:
    ending = AuthorityEnding(row["authority_ending"])
    return AuthorityEnd(ending, row["fact_date"], row["fact_order_number"], row["fact_order_date"])


def _read_paper(row: asyncpg.Record) -> DecisionPaper:
    return DecisionPaper(
        document_id=row["document_id"],
        application_id=row["application_id"],
        applicant_id=row["applicant_id"],
        issue_time=row["issue_time"],
        signing_way=SigningWay(row["signing_way"]) if row["signing_way"] else None,
        sign_time=row["sign_time"],
        channel=DecisionChannel(row["channel"]) if row["channel"] else None,
        deliver_time=row["deliver_time"],
        delivered_by=read_name(row) if row["family_name"] else None,
    )
