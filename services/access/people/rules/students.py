"""A student with what acts about one ask: the card (Clauses R10, R11), and who may see it (Clause R9)."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from chassis.errors import NotFound
from services.access.people.rules.names import PersonName
from services.access.people.rules.roles import Role

REGISTERING = frozenset({Role.CLASS_TEACHER, Role.ADMIN, Role.SECRETARY})


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An enrolment that is not over; `from_date` may lie ahead. One that came by a list may lack its order (Clause R10)."""

    order_number: str | None
    order_date: date | None
    from_date: date


@dataclass(frozen=True, slots=True)
class StudentCard:
    """A student with what a case asks about. `caller_roles` are those in which the caller may act for the student.

    `class_name` is that of the first placement that is not over; `is_placed` tells whether it has begun.
    """

    student_id: UUID
    name: PersonName
    birth_date: date | None
    enrolment: Enrolment | None
    class_name: str
    is_placed: bool
    caller_roles: frozenset[int] = frozenset()


def require_student(student: StudentCard | None, roles: frozenset[Role]) -> StudentCard:
    """The student. Raises NotFound STUDENT_NOT_FOUND, alike for absent, another class's and another school's."""
    if student is None or not student.caller_roles & roles:
        raise NotFound("STUDENT_NOT_FOUND", "no such student whom the caller may see")
    return student
