"""Applications, their applicants, log, numbers and deadlines. In `db.school`."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import asyncpg

from chassis.db import Connection
from services.access.cases.rules.applications import (
    CLAUSE,
    Applicant,
    Case,
    Enrolment,
    LogEntry,
    NewApplicant,
    NewCase,
    Regulation,
    State,
    StudentCard,
    Way,
)
from services.access.people.rules.declarations import ApplicationKind
from services.access.people.rules.guardianships import Authority, AuthorityEnd, AuthorityEnding, GuardianKind
from services.access.people.rules.names import PersonName

# Cases whose ids `page` gives, with the roles in which an account ($2) acts for their students. A waiting case reads as
# registered once its enrolment has begun.
_CASES = """
    WITH acting AS MATERIALIZED (SELECT role, class_id FROM acting_roles($1, $2, $3)), page AS ({page})
    SELECT a.application_id, a.kind, a.year, a.number, a.receive_time, a.register_time, a.channel, a.start_time, a.version,
           CASE WHEN a.state = 2 AND a.start_time <= $3::timestamptz THEN 1 ELSE a.state END AS state,
           (a.register_time AT TIME ZONE s.time_zone)::date AS register_date,
           v.title, v.order_number AS regulation_number, v.order_date AS regulation_date, v.valid_from,
           a.student_id, p.family_name, p.given_name, p.patronymic, p.birth_date,
           c.order_number, c.order_date, c.from_date, c.class_name, c.is_placed, a.due_time,
           ARRAY(SELECT DISTINCT t.role FROM acting t WHERE t.class_id IS NULL OR t.class_id = c.class_id) AS caller_roles,
           EXISTS (SELECT FROM applicants m JOIN account_people h USING (school_id, person_id)
                   WHERE m.school_id = $1 AND m.application_id = a.application_id AND h.account_id = $2) AS is_own
    FROM page
    JOIN applications a ON a.school_id = $1 AND a.application_id = page.application_id
    JOIN schools s ON s.school_id = a.school_id
    JOIN regulation_versions v ON v.school_id = a.school_id AND v.regulation_id = a.regulation_id
    JOIN people p ON p.school_id = a.school_id AND p.person_id = a.student_id
    CROSS JOIN LATERAL student_card($1, a.student_id, $3) c
    ORDER BY a.due_time, a.application_id
"""
_BY_ID = _CASES.format(page="SELECT unnest($4::uuid[]) AS application_id")
# A page after a key ($4, $5): what an account has filed itself; for one who acts in roles ($7) that of the school, in the
# order of an index, and that of the own classes besides.
_FILED = """
    SELECT a.application_id, a.due_time
    FROM (SELECT DISTINCT m.application_id FROM applicants m JOIN account_people h USING (school_id, person_id)
          WHERE m.school_id = $1 AND h.account_id = $2 OFFSET 0) mine
    JOIN applications a ON a.school_id = $1 AND a.application_id = mine.application_id
    WHERE ({states}) AND (a.due_time, a.application_id) > ($4::timestamptz, $5::uuid)
"""
_OF_CLASSES = """
    SELECT a.application_id, a.due_time
    FROM acting t
    CROSS JOIN LATERAL (SELECT student_id FROM students_of_class($1, t.class_id, $3) OFFSET 0) l
    CROSS JOIN LATERAL (
        SELECT a.application_id, a.due_time FROM applications a
        WHERE a.school_id = $1 AND a.student_id = l.student_id AND ({states})
          AND (a.due_time, a.application_id) > ($4::timestamptz, $5::uuid) OFFSET 0
    ) a
    WHERE t.class_id IS NOT NULL AND t.role = ANY ($7::smallint[])
"""
_OF_SCHOOL = """
    (SELECT a.application_id, a.due_time FROM applications a
     WHERE a.school_id = $1 AND ({states}) AND (a.due_time, a.application_id) > ($4::timestamptz, $5::uuid)
       AND EXISTS (SELECT FROM acting t WHERE t.class_id IS NULL AND t.role = ANY ($7::smallint[]))
     ORDER BY a.due_time, a.application_id LIMIT $6)
"""
_PAGE = "SELECT application_id FROM ({branches}) q ORDER BY q.due_time, q.application_id LIMIT $6"
# What a filter means of the stored state; each alternative is a walk along an index.
_STATES: dict[int, list[str]] = {
    0: ["true"],
    State.REGISTERED: ["a.state = 1", "a.state = 2 AND a.start_time <= $3"],
    State.WAITS_FOR_ENROLMENT: ["a.state = 2 AND (a.start_time IS NULL OR a.start_time > $3)"],
    **{state: [f"a.state = {state.value}"] for state in State if state > State.WAITS_FOR_ENROLMENT},
}


def _build_page(*branches: str) -> str:
    return _CASES.format(page=_PAGE.format(branches=" UNION ".join(branches)))


def _build_whole(alternatives: list[str]) -> str:
    either = " OR ".join(alternatives)
    walks = [_OF_SCHOOL.format(states=states) for states in alternatives]
    return _build_page(*walks, _OF_CLASSES.format(states=either), _FILED.format(states=either))


_PAGES = {state: _build_whole(alternatives) for state, alternatives in _STATES.items()}
# To an applicant no filter tells whether a case waits for an enrolment (Clause R19).
_OWN_PAGES = {
    state: _build_page(_FILED.format(states="a.state IN (1, 2)" if state in (1, 2) else alternatives[0]))
    for state, alternatives in _STATES.items()
}


async def find_student(
    connection: Connection, school_id: UUID, student_id: UUID, account_id: UUID, now: datetime
) -> StudentCard | None:
    """A student as a case asks about one, with the roles of an account towards the student."""
    row = await connection.fetchrow(
        """
        SELECT p.person_id AS student_id, p.family_name, p.given_name, p.patronymic, p.birth_date,
               c.order_number, c.order_date, c.from_date, c.class_name, c.is_placed,
               roles_towards($1, t.student_id, $3, $4) AS caller_roles
        FROM students t
        JOIN people p ON p.school_id = t.school_id AND p.person_id = t.student_id
        CROSS JOIN LATERAL student_card($1, t.student_id, $4) c
        WHERE t.school_id = $1 AND t.student_id = $2
        """,
        school_id,
        student_id,
        account_id,
        now,
    )
    return _read_student(row) if row else None


async def find_own_person(
    connection: Connection, school_id: UUID, student_id: UUID, account_id: UUID, now: datetime
) -> UUID | None:
    """The person of an account that sees a student as family now; None for anybody else."""
    person_id: UUID | None = await connection.fetchval(
        """
        SELECT h.person_id FROM account_people h
        WHERE h.school_id = $1 AND h.account_id = $3 AND EXISTS (
            SELECT FROM relations r
            WHERE r.school_id = $1 AND r.account_id = $3 AND r.kind = 3 AND r.object_id = $2
              AND r.valid_from_time <= $4 AND (r.valid_to_time IS NULL OR r.valid_to_time > $4))
        """,
        school_id,
        student_id,
        account_id,
        now,
    )
    return person_id


async def is_person(connection: Connection, school_id: UUID, account_id: UUID) -> bool:
    """Whether an account belongs to a person of the school, with whatever place in it."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM account_people WHERE school_id = $1 AND account_id = $2)", school_id, account_id
    )
    return found


async def get_person_id(connection: Connection, school_id: UUID, account_id: UUID) -> UUID:
    """The person of an account that has one in the school."""
    person_id: UUID = await connection.fetchval(
        "SELECT person_id FROM account_people WHERE school_id = $1 AND account_id = $2", school_id, account_id
    )
    return person_id


async def lock_case(connection: Connection, school_id: UUID, application_id: UUID) -> None:
    """Holds a case and its applicants' people until the transaction ends, so that each person gets one account."""
    await connection.execute(
        """
        SELECT FROM applications a
        JOIN applicants m USING (school_id, application_id)
        JOIN people p USING (school_id, person_id)
        WHERE a.school_id = $1 AND a.application_id = $2 ORDER BY p.person_id FOR NO KEY UPDATE OF a, p
        """,
        school_id,
        application_id,
    )


async def lock_cases(connection: Connection, school_id: UUID, application_ids: Sequence[UUID]) -> None:
    """Holds cases until the transaction ends, in the order of their ids: of two who hold many none waits for the other."""
    await connection.execute(
        """
        SELECT FROM applications WHERE school_id = $1 AND application_id = ANY ($2::uuid[])
        ORDER BY application_id FOR NO KEY UPDATE
        """,
        school_id,
        application_ids,
    )


async def find_case(
    connection: Connection, school_id: UUID, application_id: UUID, account_id: UUID, now: datetime
) -> Case | None:
    """A case without its applicants, with the roles of an account towards its student."""
    row = await connection.fetchrow(_BY_ID, school_id, account_id, now, [application_id])
    return _read_case(row) if row else None


async def list_cases_by_id(
    connection: Connection, school_id: UUID, application_ids: Sequence[UUID], account_id: UUID, now: datetime
) -> dict[UUID, Case]:
    """Cases without their applicants by their ids, with the roles of an account towards each student."""
    rows = await connection.fetch(_BY_ID, school_id, account_id, now, application_ids)
    return {row["application_id"]: _read_case(row) for row in rows}


async def list_cases(
    connection: Connection,
    school_id: UUID,
    account_id: UUID,
    now: datetime,
    roles: frozenset[int],
    state: int,
    after: tuple[datetime, UUID],
    limit: int,
    *,
    is_own_only: bool,
) -> list[tuple[Case, datetime]]:
    """Cases that an account may open in one of `roles` or as an applicant, by due time and id after a key, each with its due
    time; those whose clock has no start come last, at the end of time. `state` 0: all.
    """
    if is_own_only:
        rows = await connection.fetch(_OWN_PAGES[state], school_id, account_id, now, *after, limit)
    else:
        rows = await connection.fetch(_PAGES[state], school_id, account_id, now, *after, limit, roles)
    return [(_read_case(row), row["due_time"]) for row in rows]


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


async def list_log(connection: Connection, school_id: UUID, application_id: UUID) -> list[LogEntry]:
    """The log of a case, oldest first."""
    rows = await connection.fetch(
        """
        SELECT g.time, g.state, g.ground, p.family_name, p.given_name, p.patronymic
        FROM case_log g
        LEFT JOIN account_people h ON h.school_id = g.school_id AND h.account_id = g.actor_account_id
        LEFT JOIN people p ON p.school_id = h.school_id AND p.person_id = h.person_id
        WHERE g.school_id = $1 AND g.application_id = $2 ORDER BY g.entry_id
        """,
        school_id,
        application_id,
    )
    return [
        LogEntry(row["time"], _read_name(row) if row["family_name"] else None, State(row["state"]), row["ground"])
        for row in rows
    ]


async def insert_log_entry(
    connection: Connection,
    school_id: UUID,
    application_id: UUID,
    account_id: UUID | None,
    state: State,
    ground: str,
    now: datetime,
) -> None:
    """Appends to the log of a case (Clause R2); without an account what no person caused."""
    await insert_log_entries(connection, school_id, {application_id: ground}, account_id, state, now)


async def insert_log_entries(
    connection: Connection,
    school_id: UUID,
    grounds: Mapping[UUID, str],
    account_id: UUID | None,
    state: State,
    now: datetime,
) -> None:
    """Appends the same act to the logs of cases, each with its ground (Clause R2)."""
    await connection.execute(
        """
        INSERT INTO case_log (school_id, application_id, time, actor_account_id, state, ground)
        SELECT $1, application_id, $2, $3, $4, ground FROM unnest($5::uuid[], $6::text[]) AS e (application_id, ground)
        """,
        school_id,
        now,
        account_id,
        state,
        list(grounds),
        list(grounds.values()),
    )


async def find_regulation_id(connection: Connection, school_id: UUID, day: date) -> UUID | None:
    """The version in force on a day (Clause R1)."""
    regulation_id: UUID | None = await connection.fetchval(
        """
        SELECT regulation_id FROM regulation_versions
        WHERE school_id = $1 AND valid_from <= $2 ORDER BY valid_from DESC LIMIT 1
        """,
        school_id,
        day,
    )
    return regulation_id


async def insert_regulation(connection: Connection, school_id: UUID, regulation: Regulation) -> bool:
    """A version; false when there is one for the same day."""
    status = await connection.execute(
        """
        INSERT INTO regulation_versions (school_id, title, order_number, order_date, valid_from) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING
        """,
        school_id,
        regulation.title,
        regulation.order_number,
        regulation.order_date,
        regulation.valid_from,
    )
    return status.endswith(" 1")


async def find_adopted(connection: Connection, school_id: UUID, day: date) -> Regulation | None:
    """The version in force on a day, by the school's own order (Clause R1)."""
    row = await connection.fetchrow(
        """
        SELECT title, order_number, order_date, valid_from FROM regulation_versions
        WHERE school_id = $1 AND valid_from <= $2 AND order_number IS NOT NULL ORDER BY valid_from DESC LIMIT 1
        """,
        school_id,
        day,
    )
    return Regulation(**row) if row else None


async def judge_by_adopted(
    connection: Connection, school_id: UUID, regulation: Regulation, account_id: UUID, ground: str, now: datetime
) -> None:
    """Undecided cases that came while a version is in force are judged by it from now on; each log says so (Clauses R1, R2)."""
    await connection.execute(
        """
        WITH judged AS (
            UPDATE applications a SET regulation_id = v.regulation_id, version = a.version + 1
            FROM schools s, regulation_versions v
            WHERE a.school_id = $1 AND a.decide_time IS NULL AND s.school_id = $1 AND v.school_id = $1 AND v.valid_from = $2
              AND v.valid_from = (
                  SELECT max(n.valid_from) FROM regulation_versions n
                  WHERE n.school_id = $1 AND n.valid_from <= (a.receive_time AT TIME ZONE s.time_zone)::date)
            RETURNING a.application_id, a.state
        )
        INSERT INTO case_log (school_id, application_id, time, actor_account_id, state, ground)
        SELECT $1, application_id, $5, $3, state, $4 FROM judged
        """,
        school_id,
        regulation.valid_from,
        account_id,
        ground,
        now,
    )


async def insert_case(connection: Connection, school_id: UUID, case: NewCase) -> tuple[UUID, int]:
    """Writes a case under the next number of the school and year; returns its id and number.

    The counter is the transaction's last lock, and a transaction that does not commit gives its number back: no gaps.
    """
    row = await connection.fetchrow(
        """
        WITH next AS (
            INSERT INTO counters (school_id, name, year, value) VALUES ($1, 'applications', $2, 1)
            ON CONFLICT (school_id, name, year) DO UPDATE SET value = counters.value + 1 RETURNING value
        )
        INSERT INTO applications (school_id, year, number, student_id, regulation_id, channel, state, receive_time,
                                  register_time, start_time, kind)
        SELECT $1, $2, value, $3, $4, $5, $6, $7, $8, $9, $10 FROM next RETURNING application_id, number
        """,
        school_id,
        case.year,
        case.student_id,
        case.regulation_id,
        case.channel,
        case.term.state,
        case.receive_time,
        case.register_time,
        case.term.start_time,
        case.kind,
    )
    assert row is not None
    return row["application_id"], row["number"]


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


async def decide_cases(
    connection: Connection, school_id: UUID, application_ids: Sequence[UUID], state: State, now: datetime
) -> None:
    """Sets the final state of cases."""
    await connection.execute(
        """
        UPDATE applications SET state = $3, decide_time = $4, version = version + 1
        WHERE school_id = $1 AND application_id = ANY ($2::uuid[])
        """,
        school_id,
        application_ids,
        state,
        now,
    )


async def touch_case(connection: Connection, school_id: UUID, application_id: UUID) -> None:
    """Raises the version of a case of which something changed."""
    await connection.execute(
        "UPDATE applications SET version = version + 1 WHERE school_id = $1 AND application_id = $2", school_id, application_id
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


async def count_open_deadlines(connection: Connection, now: datetime) -> list[tuple[str, int, int]]:
    """By clause over all schools: how many are not met, and how many of these are past due. In `db.jobs`."""
    rows = await connection.fetch(
        """
        SELECT clause, count(*) AS open, count(*) FILTER (WHERE due_time < $1) AS overdue
        FROM (SELECT clause, due_time, met_time FROM deadlines
              UNION ALL SELECT clause, due_time, met_time FROM known_deadlines WHERE NOT is_void) q
        WHERE met_time IS NULL GROUP BY clause
        """,
        now,
    )
    return [(row["clause"], row["open"], row["overdue"]) for row in rows]


def _read_name(row: asyncpg.Record) -> PersonName:
    return PersonName(row["family_name"], row["given_name"], row["patronymic"])


def _read_student(row: asyncpg.Record) -> StudentCard:
    return StudentCard(
        student_id=row["student_id"],
        name=_read_name(row),
        birth_date=row["birth_date"],
        enrolment=Enrolment(row["order_number"], row["order_date"], row["from_date"]) if row["from_date"] else None,
        class_name=row["class_name"],
        is_placed=row["is_placed"],
        caller_roles=frozenset(row["caller_roles"]),
    )


def _read_case(row: asyncpg.Record) -> Case:
    return Case(
        application_id=row["application_id"],
        kind=ApplicationKind(row["kind"]),
        year=row["year"],
        number=row["number"],
        receive_time=row["receive_time"],
        register_time=row["register_time"],
        register_date=row["register_date"],
        channel=row["channel"],
        state=State(row["state"]),
        start_time=row["start_time"],
        version=row["version"],
        regulation=Regulation(row["title"], row["regulation_number"], row["regulation_date"], row["valid_from"]),
        student=_read_student(row),
        is_own=row["is_own"],
    )


def _read_applicant(row: asyncpg.Record) -> Applicant:
    parts = {"family_name", "given_name", "patronymic", "document", "issue_date", "last_date"}
    ended = {"end_ground", "end_kind", "end_date", "end_act_number", "end_act_date"}
    return Applicant(
        **{
            **{key: value for key, value in row.items() if key not in parts | ended},
            "name": _read_name(row),
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
