"""Cases with their numbers and states. In `db.school`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from chassis.db import Connection
from services.access.cases.rules.applications import Case, NewCase, State
from services.access.cases.rules.statements import ApplicationKind
from services.access.people.rules.regulations import Regulation
from services.access.people.store.students import read_student

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
        student=read_student(row),
        is_own=row["is_own"],
    )
