"""What a generated school consists of: plain values, which the seed writes into tables."""

from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random
from uuid import UUID

from services.access.people.rules.guardianships import GuardianKind
from services.access.people.rules.names import PersonName
from services.access.people.rules.regulations import Regulation
from services.access.people.rules.roles import Role
from services.access.people.rules.schools import SchoolDetails


class Ids:
    """UUIDs of version 7 that depend on nothing but the random numbers given."""

    def __init__(self, rng: Random, start: datetime) -> None:
        self._rng = rng
        self._millisecond = int(start.timestamp() * 1000)

    def next(self) -> UUID:
        """The next id; later ids sort after earlier ones, so that loading them is quick."""
        self._millisecond += 1
        noise = self._rng.getrandbits(74)
        high = (self._millisecond << 16) | 0x7000 | (noise >> 62)
        return UUID(int=(high << 64) | (0b10 << 62) | (noise & ((1 << 62) - 1)))


@dataclass(frozen=True, slots=True)
class SchoolYear:
    """A school year; both days are of the year."""

    year_id: UUID
    name: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Person:
    """Someone of a school."""

    person_id: UUID
    name: PersonName
    gender: str
    birth_date: date


@dataclass(frozen=True, slots=True)
class Class:
    """A class; several grades in a combined one (класс-комплект)."""

    class_id: UUID
    name: str
    grades: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Student:
    """A student with the enrolment in force and the place in a class."""

    person: Person
    enrolment_id: UUID
    class_id: UUID
    grade: int
    order_number: str
    order_date: date
    from_date: date


@dataclass(frozen=True, slots=True)
class Guardianship:
    """That an adult acts for a child from a day until before another (Clause R6)."""

    guardianship_id: UUID
    guardian_id: UUID
    student_id: UUID
    kind: GuardianKind
    document: str
    from_date: date
    end_date: date


@dataclass(frozen=True, slots=True)
class Appointment:
    """A role at the school by an order. `class_id` for class teachers only."""

    appointment_id: UUID
    person_id: UUID
    role: Role
    class_id: UUID | None
    order_number: str
    order_date: date
    from_date: date


@dataclass(frozen=True, slots=True)
class StudyGroup:
    """A class or a part of it with its subject, teacher and members."""

    study_group_id: UUID
    class_id: UUID
    grades: tuple[int, ...]
    subject: str
    group_name: str
    is_marked: bool
    weekly_hours: int
    teaching_id: UUID
    teacher_id: UUID
    member_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a person of the school. An account of another school is only linked: `is_new` is false."""

    account_id: UUID
    login: str
    person_id: UUID
    create_time: datetime
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class Grant:
    """An access of an account to a student's diary by an application (Clause R12), given by the class teacher.

    `guardianship_id` is None for oneself.
    """

    grant_id: UUID
    account_id: UUID
    holder_id: UUID
    student_id: UUID
    guardianship_id: UUID | None
    application_number: str
    application_date: date
    granted_by_account_id: UUID
    grant_time: datetime

    @property
    def role(self) -> Role:
        """The holder's."""
        return Role.GUARDIAN if self.guardianship_id else Role.STUDENT


@dataclass(frozen=True, slots=True)
class School:
    """A school of a municipality."""

    school_id: UUID
    code: str
    name: str
    full_name: str
    time_zone: str


@dataclass(slots=True)
class Roster:
    """All of one school."""

    school: School
    year: SchoolYear
    details: SchoolDetails
    regulation: Regulation
    people: list[Person] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)
    students: list[Student] = field(default_factory=list)
    guardianships: list[Guardianship] = field(default_factory=list)
    appointments: list[Appointment] = field(default_factory=list)
    study_groups: list[StudyGroup] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
