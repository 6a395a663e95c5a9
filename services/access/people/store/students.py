"""A student as a case asks about one. In `db.school`."""

from datetime import datetime
from uuid import UUID

import asyncpg

from chassis.db import Connection
from services.access.people.rules.students import Enrolment, StudentCard
from services.access.people.store.people import read_name


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
    return read_student(row) if row else None


def read_student(row: asyncpg.Record) -> StudentCard:
    return StudentCard(
        student_id=row["student_id"],
        name=read_name(row),
        birth_date=row["birth_date"],
        enrolment=Enrolment(row["order_number"], row["order_date"], row["from_date"]) if row["from_date"] else None,
        class_name=row["class_name"],
        is_placed=row["is_placed"],
        caller_roles=frozenset(row["caller_roles"]),
    )
