"""What each fact gives, and for how long."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.options.v1 import options_pb2
from services.access.people.rules.roles import STAFF, RelationKind, Role
from services.access.rights.rules.relations import (
    AppointmentFact,
    Bounds,
    GrantFact,
    TeachingFact,
    derive_from_appointment,
    derive_from_grant,
    derive_from_teaching,
)

FACT, ACCOUNT, OBJECT, SCHOOL = (UUID(int=n) for n in range(1, 5))
ZONE = "Europe/Simferopol"
days = st.dates(date(2000, 1, 1), date(2090, 1, 1))
zones = st.sampled_from([ZONE, "Asia/Kamchatka", "Europe/Kaliningrad"])


@pytest.mark.parametrize("role", Role)
def test_roles_have_the_numbers_of_the_protos(role: Role) -> None:
    assert options_pb2.Role.Value(f"ROLE_{role.name}") == int(role)


@pytest.mark.parametrize("kind", RelationKind)
def test_kinds_have_the_numbers_of_the_protos(kind: RelationKind) -> None:
    assert options_pb2.Relation.Value(f"RELATION_{kind.name}") == int(kind)


@pytest.mark.parametrize("end", [None, datetime(2026, 11, 1, tzinfo=UTC)])
def test_a_grant_gives_the_student_for_as_long_as_it_holds(end: datetime | None) -> None:
    start = datetime(2026, 9, 1, 8, 30, tzinfo=UTC)
    [relation] = derive_from_grant(GrantFact(FACT, ACCOUNT, Role.GUARDIAN, OBJECT, start, end), ZONE)
    assert (relation.kind, relation.object_id, relation.role) == (RelationKind.STUDENT, OBJECT, Role.GUARDIAN)
    assert (relation.valid_from_time, relation.valid_to_time) == (start, end)


@pytest.mark.parametrize("role", sorted(STAFF - {Role.CLASS_TEACHER}))
def test_an_appointment_gives_the_school_and_nothing_else(role: Role) -> None:
    relations = derive_from_appointment(AppointmentFact(FACT, ACCOUNT, role, None, date(2026, 9, 1), None), SCHOOL, ZONE)
    assert [(r.kind, r.object_id, r.role) for r in relations] == [(RelationKind.SCHOOL, SCHOOL, role)]


def test_a_class_teacher_has_the_class_and_the_school() -> None:
    """Clause R9."""
    fact = AppointmentFact(FACT, ACCOUNT, Role.CLASS_TEACHER, OBJECT, date(2026, 9, 1), None)
    assert {(r.kind, r.object_id, r.role) for r in derive_from_appointment(fact, SCHOOL, ZONE)} == {
        (RelationKind.SCHOOL, SCHOOL, Role.CLASS_TEACHER),
        (RelationKind.CLASS, OBJECT, Role.CLASS_TEACHER),
    }


@given(days, st.integers(1, 1000), zones)
def test_a_day_begins_and_ends_at_midnight_of_the_schools_zone(day: date, length: int, zone: str) -> None:
    end = day + timedelta(days=length)
    [course] = derive_from_teaching(TeachingFact(FACT, ACCOUNT, OBJECT, day, end), zone)
    appointed = AppointmentFact(FACT, ACCOUNT, Role.TEACHER, None, day, end)
    [school] = derive_from_appointment(appointed, SCHOOL, zone)
    assert (course.kind, course.object_id, course.role) == (RelationKind.COURSE, OBJECT, Role.TEACHER)
    for relation in (course, school):
        assert relation.valid_to_time is not None
        local = [t.astimezone(ZoneInfo(zone)) for t in (relation.valid_from_time, relation.valid_to_time)]
        assert [(t.date(), t.time()) for t in local] == [(day, time()), (end, time())]


@given(days, st.none() | st.integers(1, 1000))
def test_no_relation_outlives_its_fact(day: date, length: int | None) -> None:
    end = day + timedelta(days=length) if length else None
    fact = AppointmentFact(FACT, ACCOUNT, Role.CLASS_TEACHER, OBJECT, day, end)
    assert {r.valid_to_time is None for r in derive_from_appointment(fact, SCHOOL, ZONE)} == {end is None}


BORN = date(2010, 2, 28)
TURNS_18 = datetime(2028, 2, 28, 21, tzinfo=UTC)  # 24:00 in Simferopol


def _end(bounds: Bounds, end: datetime | None = None) -> datetime | None:
    fact = GrantFact(FACT, ACCOUNT, Role.GUARDIAN, OBJECT, datetime(2025, 9, 1, tzinfo=UTC), end, bounds)
    [relation] = derive_from_grant(fact, ZONE)
    return relation.valid_to_time


@pytest.mark.parametrize(
    ("bounds", "end"),
    [
        (Bounds(), None),
        (Bounds(BORN), None),
        (Bounds(BORN, date(2020, 1, 1)), TURNS_18),
        (Bounds(date(2008, 2, 29), date(2020, 1, 1)), datetime(2026, 2, 28, 21, tzinfo=UTC)),
        (Bounds(BORN, date(2020, 1, 1), date(2026, 5, 1)), datetime(2026, 4, 30, 21, tzinfo=UTC)),
        (Bounds(BORN, date(2028, 3, 1)), None),
        (Bounds(BORN, date(2028, 3, 1), date(2028, 6, 1)), datetime(2028, 5, 31, 21, tzinfo=UTC)),
        (Bounds(BORN, date(2020, 1, 1), None, date(2026, 5, 26)), datetime(2026, 5, 25, 21, tzinfo=UTC)),
        (Bounds(None, None, None, date(2026, 5, 26)), datetime(2026, 5, 25, 21, tzinfo=UTC)),
    ],
    ids=[
        "nothing bounds it",
        "the student's own outlasts the coming of age",
        "to 24:00 of the 18th birthday",
        "born on 29 February",
        "the guardianship ends before",
        "authority given by the grown-up student",
        "such an authority with an end",
        "the family of a leaver",
        "the leaver",
    ],
)
def test_an_access_ends_with_what_it_stands_on(bounds: Bounds, end: datetime | None) -> None:
    """Clauses R6, R13: by the dates alone, nobody need do anything."""
    assert _end(bounds) == end


@given(born=days, guardian_to=st.none() | days, enrolled_to=st.none() | days, zone=zones)
def test_an_access_never_outlasts_any_of_its_bounds(
    born: date, guardian_to: date | None, enrolled_to: date | None, zone: str
) -> None:
    start = datetime(1999, 1, 1, tzinfo=UTC)
    fact = GrantFact(FACT, ACCOUNT, Role.GUARDIAN, OBJECT, start, None, Bounds(born, born, guardian_to, enrolled_to))
    [relation] = derive_from_grant(fact, zone)
    assert relation.valid_to_time is not None
    for bound in (guardian_to, enrolled_to):
        assert bound is None or relation.valid_to_time <= datetime.combine(bound, time(), ZoneInfo(zone))


def test_an_earlier_end_of_the_grant_stands() -> None:
    ended = datetime(2026, 1, 1, tzinfo=UTC)
    assert _end(Bounds(BORN, date(2020, 1, 1)), ended) == ended
    late = datetime(2029, 1, 1, tzinfo=UTC)
    assert _end(Bounds(BORN, date(2020, 1, 1)), late) == TURNS_18
