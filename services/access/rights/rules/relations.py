"""Who may see whom, derived from the facts: grants, appointments, teachings.

A relation comes from one fact and lives as long as it, so that ending the fact ends exactly what came from it. A day in a
validity begins at midnight of the school's zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from services.access.people.rules.guardianships import FULL_AGE, find_reaching
from services.access.people.rules.roles import RelationKind, Role
from services.access.rights.rules.grants import EndingCause


@dataclass(frozen=True, slots=True)
class Bounds:
    """What bounds an access besides its own end (Clauses R6, R13); `…_to` is the day after the last, None without an end.

    `guardian_from` is None for the student's own access.
    """

    birth_date: date | None = None
    guardian_from: date | None = None
    guardian_to: date | None = None
    enrolled_to: date | None = None


@dataclass(frozen=True, slots=True)
class GrantFact:
    """An access to one student's diary (R9)."""

    fact_id: UUID
    account_id: UUID
    role: int
    student_id: UUID
    grant_time: datetime
    end_time: datetime | None
    bounds: Bounds = field(default_factory=Bounds)


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


def find_bound(bounds: Bounds) -> date | None:
    """The first day on which an access no longer holds (Clauses R6, R13): after the leaving date, the end of the guardianship
    or of the representative's authority, or 24:00 of the 18th birthday, if the authority is not the grown-up student's own.
    """
    days = [bounds.enrolled_to, bounds.guardian_to]
    if bounds.guardian_from is not None and bounds.birth_date is not None:
        of_age = find_reaching(bounds.birth_date, FULL_AGE)
        days.append(of_age if bounds.guardian_from < of_age else None)
    return min((day for day in days if day is not None), default=None)


def find_ending_cause(bounds: Bounds) -> EndingCause:
    """Which of its bounds ends an access first (Clauses R6, R13); of those of one day leaving comes before age."""
    bound = find_bound(bounds)
    if bound == bounds.enrolled_to:
        return EndingCause.LEAVING
    if bounds.birth_date is not None and bound == find_reaching(bounds.birth_date, FULL_AGE):
        return EndingCause.OF_AGE
    return EndingCause.AUTHORITY


def derive_from_grant(fact: GrantFact, zone: str) -> Sequence[DerivedRelation]:
    """The student, for as long as the grant and all that it stands on hold: the end needs nobody to do anything."""
    bound = find_bound(fact.bounds)
    ends = [time for time in (fact.end_time, _start_of(bound, zone) if bound else None) if time is not None]
    return [
        DerivedRelation(
            fact.fact_id,
            RelationKind.STUDENT,
            fact.student_id,
            fact.account_id,
            Role(fact.role),
            fact.grant_time,
            max(fact.grant_time, min(ends)) if ends else None,
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
