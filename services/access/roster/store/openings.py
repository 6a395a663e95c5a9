"""What opening an access by an operator's hand reads and writes. As the owner, in one transaction."""

from datetime import date, datetime
from uuid import UUID

from chassis.db import Connection
from services.access.people.rules.roles import Role
from services.access.people.store.people import read_name
from services.access.roster.rules.opening import Candidate, Diary, Document


async def find_school(connection: Connection, code: str) -> tuple[UUID, str] | None:
    """Id and zone of a school by its code, as import-roster finds it."""
    row = await connection.fetchrow(
        "SELECT school_id, time_zone FROM schools WHERE lower(code) = lower($1) ORDER BY code LIMIT 1", code
    )
    return (row["school_id"], row["time_zone"]) if row else None


async def lock_candidate(connection: Connection, school_id: UUID, key: str, today: date, now: datetime) -> Candidate | None:
    """The person of an id of ours or of another system, with the roles of today; locked, so that one account is made."""
    row = await connection.fetchrow(
        """
        SELECT p.person_id, p.family_name, p.given_name, p.patronymic, a.account_id, a.login,
               coalesce(a.is_activated, false) AS is_activated, coalesce(a.slip_count, 0) AS slip_count,
               NOT coalesce(a.is_activated, false) AND NOT EXISTS (
                   SELECT FROM one_time_passwords o
                   WHERE o.account_id = a.account_id AND o.void_time IS NULL AND o.expire_time > $4) AS needs_password,
               EXISTS (SELECT FROM students s WHERE s.school_id = $1 AND s.student_id = p.person_id) AS is_student,
               array(SELECT DISTINCT role FROM appointments f
                     WHERE f.school_id = $1 AND f.person_id = p.person_id AND f.validity @> $3::date) AS roles
        FROM people p
        LEFT JOIN account_people l ON l.school_id = $1 AND l.person_id = p.person_id
        LEFT JOIN accounts a USING (account_id)
        WHERE p.school_id = $1 AND (p.person_id::text = lower($2) OR p.person_id = (
            SELECT entry_id FROM external_ids WHERE school_id = $1 AND kind = 'person' AND external_id = $2))
        FOR UPDATE OF p
        """,
        school_id,
        key,
        today,
        now,
    )
    if row is None:
        return None
    return Candidate(
        person_id=row["person_id"],
        name=read_name(row),
        is_student=row["is_student"],
        roles=frozenset(row["roles"]),
        account_id=row["account_id"],
        login=row["login"],
        is_activated=row["is_activated"],
        needs_password=row["needs_password"],
        slip_count=row["slip_count"],
    )


async def list_diaries(connection: Connection, school_id: UUID, person_id: UUID, today: date) -> list[Diary]:
    """The own diary of a student, and those of children by a guardianship in force."""
    rows = await connection.fetch(
        """
        SELECT s.student_id, w.guardianship_id, p.birth_date IS NOT NULL AS is_complete,
               EXISTS (SELECT FROM enrolments e WHERE e.school_id = $1 AND e.student_id = s.student_id
                       AND e.validity @> $3::date) AS is_enrolled,
               EXISTS (SELECT FROM enrolments e WHERE e.school_id = $1 AND e.student_id = s.student_id
                       AND e.validity @> $3::date AND e.order_number IS NOT NULL) AS is_ordered,
               EXISTS (SELECT FROM placements l WHERE l.school_id = $1 AND l.student_id = s.student_id
                       AND l.validity @> $3::date)
               OR EXISTS (SELECT FROM study_group_members m WHERE m.school_id = $1 AND m.student_id = s.student_id
                          AND m.validity @> $3::date) AS is_placed,
               EXISTS (SELECT FROM grants g WHERE g.school_id = $1 AND g.student_id = s.student_id
                       AND g.holder_person_id = $2 AND g.end_time IS NULL) AS is_granted
        FROM (SELECT $2::uuid AS student_id, NULL::uuid AS guardianship_id
              UNION ALL
              SELECT student_id, guardianship_id FROM standing_guardianships
              WHERE school_id = $1 AND guardian_person_id = $2 AND validity @> $3::date) w
        JOIN students s ON s.school_id = $1 AND s.student_id = w.student_id
        JOIN people p ON p.school_id = $1 AND p.person_id = s.student_id
        ORDER BY s.student_id
        """,
        school_id,
        person_id,
        today,
    )
    return [Diary(**row) for row in rows]


async def find_granter(connection: Connection, school_id: UUID, student_id: UUID, today: date) -> tuple[UUID, int] | None:
    """Account and role of who may grant access to a student (Clause R9): the class teacher, else the school's admin."""
    row = await connection.fetchrow(
        """
        SELECT l.account_id, f.role FROM appointments f JOIN account_people l USING (school_id, person_id)
        WHERE f.school_id = $1 AND f.validity @> $4::date AND (f.role = $3 OR f.class_id = (
            SELECT class_id FROM placements WHERE school_id = $1 AND student_id = $2 AND validity @> $4::date))
        ORDER BY f.role, f.appointment_id LIMIT 1
        """,
        school_id,
        student_id,
        Role.ADMIN,
        today,
    )
    return (row["account_id"], row["role"]) if row else None


async def insert_admin(connection: Connection, school_id: UUID, person_id: UUID, order: Document, today: date) -> None:
    """Appoints the administrator of the diary."""
    await connection.execute(
        """
        INSERT INTO appointments (school_id, person_id, role, order_number, order_date, validity)
        VALUES ($1, $2, $3, $4, $5, daterange($6, NULL))
        """,
        school_id,
        person_id,
        Role.ADMIN,
        order.number,
        order.day,
        today,
    )
