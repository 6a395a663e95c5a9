"""What each fact gives, and for how long."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.options.v1 import options_pb2
from services.access.rules.relations import (
    AppointmentFact,
    GrantFact,
    TeachingFact,
    derive_from_appointment,
    derive_from_grant,
    derive_from_teaching,
)
from services.access.rules.roles import STAFF, RelationKind, Role

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
    [relation] = derive_from_grant(GrantFact(FACT, ACCOUNT, Role.GUARDIAN, OBJECT, start, end))
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
