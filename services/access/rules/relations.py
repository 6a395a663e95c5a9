"""Who may see whom, derived from the facts: grants, appointments, teachings.

A relation comes from one fact and lives as long as it, so that ending the fact ends exactly what came from it. A day in a
validity begins at midnight of the school's zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from services.access.rules.roles import RelationKind, Role


@dataclass(frozen=True, slots=True)
class GrantFact:
    """An access to one student's diary (R9)."""

    fact_id: UUID
    account_id: UUID
    role: int
    student_id: UUID
    grant_time: datetime
    end_time: datetime | None


@dataclass(frozen=True, slots=True)
class AppointmentFact:
    """A staff role by order; `to_date` is the day after the last. `class_id` is a class teacher's class."""

    fact_id: UUID
    account_id: UUID
    role: int
    class_id: UUID | None
    from_date: date
    to_date: date | None


@dataclass(frozen=True, slots=True)
class TeachingFact:
    """A teacher's time in a study group; `to_date` is the day after the last."""

    fact_id: UUID
    account_id: UUID
    study_group_id: UUID
    from_date: date
    to_date: date | None


@dataclass(frozen=True, slots=True)
class DerivedRelation:
    """What a fact gives; named by (fact_id, kind)."""

    fact_id: UUID
    kind: RelationKind
    object_id: UUID
    account_id: UUID
    role: Role
    valid_from_time: datetime
    valid_to_time: datetime | None


def derive_from_grant(fact: GrantFact) -> Sequence[DerivedRelation]:
    """The student, for as long as the grant holds."""
    return [
        DerivedRelation(
            fact.fact_id,
            RelationKind.STUDENT,
            fact.student_id,
            fact.account_id,
            Role(fact.role),
            fact.grant_time,
            fact.end_time,
        )
    ]


def derive_from_appointment(fact: AppointmentFact, school_id: UUID, zone: str) -> Sequence[DerivedRelation]:
    """The school in the appointed role; for a class teacher the class as well (R9)."""
    objects = [(RelationKind.SCHOOL, school_id)]
    if fact.class_id is not None:
        objects.append((RelationKind.CLASS, fact.class_id))
    start, end = _start_of(fact.from_date, zone), _start_of(fact.to_date, zone) if fact.to_date else None
    return [
        DerivedRelation(fact.fact_id, kind, object_id, fact.account_id, Role(fact.role), start, end)
        for kind, object_id in objects
    ]


def derive_from_teaching(fact: TeachingFact, zone: str) -> Sequence[DerivedRelation]:
    """The course, whose id is the study group's."""
    return [
        DerivedRelation(
            fact.fact_id,
            RelationKind.COURSE,
            fact.study_group_id,
            fact.account_id,
            Role.TEACHER,
            _start_of(fact.from_date, zone),
            _start_of(fact.to_date, zone) if fact.to_date else None,
        )
    ]


def _start_of(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone))
