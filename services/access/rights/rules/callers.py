"""Who a caller is, school by school."""

from dataclasses import dataclass
from uuid import UUID

from services.access.people.rules.names import PersonName


@dataclass(frozen=True, slots=True)
class Place:
    """A school where the account has a person."""

    school_id: UUID
    school_name: str
    time_zone: str
    person_id: UUID


@dataclass(frozen=True, slots=True)
class OpenStudent:
    """A student whose diary the account may open as family; `class_name` is empty when not placed."""

    student_id: UUID
    name: PersonName
    class_name: str
    role: int
