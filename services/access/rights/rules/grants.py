"""Accesses of accounts to students' diaries (Clauses R9-R13)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum
from uuid import UUID

from services.access.people.rules.names import PersonName
from services.access.people.rules.roles import Role


class EndGround(StrEnum):
    """Why a grant was ended."""

    REVOKED = "revoked"
    LEFT = "left"
    GUARDIANSHIP_ENDED = "guardianship_ended"
    DECLINED = "declined"
    LAPSED = "lapsed"


class EndingCause(IntEnum):
    """Why an access ends by itself; numbers of diary.access.v1.GrantEndingCause."""

    OF_AGE = 1
    AUTHORITY = 2
    LEAVING = 3


@dataclass(frozen=True, slots=True)
class Ending:
    """Why and by whom grants are ended; `application_id` is the statement that declines the service (Clause R33)."""

    ground: EndGround
    account_id: UUID
    application_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class EndingGrant:
    """A grant that ends by itself soon, as a letter tells of it."""

    cause: EndingCause
    end_time: datetime
    time_zone: str
    student_name: PersonName
    school_name: str
    account_id: UUID
    holder_name: PersonName
    is_student: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """An access of one account to one student's diary, with the names that a list shows."""

    grant_id: UUID
    student_id: UUID
    student_name: PersonName
    holder_person_id: UUID
    holder_name: PersonName
    account_id: UUID
    role: int
    application_number: str
    application_date: date
    grant_time: datetime
    end_time: datetime | None


@dataclass(frozen=True, slots=True)
class OwnGrant:
    """A grant as its holder is told of it; the number, year and id are of the own statement by which it ended, if it did."""

    grant: Grant
    has_case: bool
    end_number: int | None
    end_year: int | None
    end_application_id: UUID | None
    may_apply_again: bool


GRANTING = frozenset({Role.CLASS_TEACHER, Role.ADMIN})


def write_application_number(number: int, year: int) -> str:
    """A registration number as it is printed: 15-ЭД/2026."""
    return f"{number}-ЭД/{year}"


def choose_granting_role(caller_roles: Iterable[int]) -> Role:
    """The role in which a grant is given and recorded (Clause R9): the class teacher's before the admin's."""
    return min(GRANTING.intersection(map(Role, caller_roles)))


# Clause R6: both are told 30 days before an access ends.
END_WARNING = timedelta(days=30)
