"""The rows of a generated school, table by table in the order in which they refer to each other."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID

from asyncpg import Range

from diary.access.v1 import roster_pb2
from services.access.people.convert import changes as convert
from services.access.people.rules.guardianships import GuardianKind
from services.access.people.rules.names import build_sort_key
from services.access.people.rules.roles import Role
from services.access.rights.rules import relations
from services.access.seed.region.roster import Guardianship, Ids, Person, Roster

_DAY = timedelta(days=1)
_LAST_LESSON = (5, 26)  # month, day of the year after

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for COPY."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Row]


def build_tables(roster: Roster, ids: Ids, password_hash: str, now: datetime) -> Iterator[Table]:
    """All rows of a school; `ids` for the rows that are derived."""
    yield from _school(roster)
    yield from _people(roster)
    yield from _staff(roster)
    yield from _accounts(roster, password_hash)
    derived = [(ids.next(), relation) for relation in _derive_relations(roster)]
    yield _relations(roster.school.school_id, derived)
    yield _outbox(roster, [relation_id for relation_id, _ in derived], ids, now)


def _table(name: str, columns: str, rows: Iterable[Row]) -> Table:
    return Table(name, columns.split(), list(rows))


def _school(roster: Roster) -> Iterator[Table]:
    school, year = roster.school, roster.year
    row = (school.school_id, school.code, school.name, school.full_name, school.time_zone, year.year_id)
    yield _table("schools", "school_id code name full_name time_zone current_year_id", [row])
    said = asdict(roster.details)
    yield _table("school_details", f"school_id {' '.join(said)}", [(school.school_id, *said.values())])
    adopted = roster.regulation
    rows: list[Row] = [(school.school_id, adopted.title, adopted.order_number, adopted.order_date, adopted.valid_from)]
    yield _table("regulation_versions", "school_id title order_number order_date valid_from", rows)
    validity = Range(year.first_day, year.last_day + _DAY)
    rows = [(school.school_id, year.year_id, year.name, validity)]
    yield _table("school_years", "school_id year_id name validity", rows)
    rows = [(school.school_id, c.class_id, year.year_id, c.name, c.grades) for c in roster.classes]
    yield _table("classes", "school_id class_id year_id name grades", rows)


def _people(roster: Roster) -> Iterator[Table]:
    school, year = roster.school.school_id, roster.year
    of_year = Range(year.first_day, year.last_day + _DAY)
    columns = "school_id person_id family_name given_name patronymic sort_key birth_date gender"
    yield _table("people", columns, (_person(school, person) for person in roster.people))
    students = roster.students
    yield _table("students", "school_id student_id", ((school, s.person.person_id) for s in students))
    yield _table(
        "enrolments",
        "school_id enrolment_id student_id order_number order_date validity",
        (
            (school, s.enrolment_id, s.person.person_id, s.order_number, s.order_date, Range(s.from_date, None))
            for s in students
        ),
    )
    rows = ((school, s.person.person_id, s.class_id, of_year) for s in students)
    yield _table("placements", "school_id student_id class_id validity", rows)
    yield _table(
        "guardianships",
        "school_id guardianship_id guardian_person_id student_id kind document validity",
        (
            (school, g.guardianship_id, g.guardian_id, g.student_id, g.kind, g.document, Range(g.from_date, g.end_date))
            for g in roster.guardianships
        ),
    )


def _person(school: UUID, person: Person) -> Row:
    name = person.name
    key = build_sort_key(name.family_name, name.given_name, name.patronymic)
    return (school, person.person_id, name.family_name, name.given_name, name.patronymic, key, person.birth_date, person.gender)


def _staff(roster: Roster) -> Iterator[Table]:
    school, groups = roster.school.school_id, roster.study_groups
    yield _table(
        "appointments",
        "school_id appointment_id person_id role class_id order_number order_date validity",
        (
            (school, a.appointment_id, a.person_id, a.role, a.class_id, a.order_number, a.order_date, Range(a.from_date, None))
            for a in roster.appointments
        ),
    )
    taught = Range(*_taught(roster))
    columns = "school_id study_group_id year_id class_id subject_name group_name is_marked validity"
    year_id = roster.year.year_id
    yield _table(
        "study_groups",
        columns,
        ((school, g.study_group_id, year_id, g.class_id, g.subject, g.group_name, g.is_marked, taught) for g in groups),
    )
    rows = ((school, g.teaching_id, g.study_group_id, g.teacher_id, taught) for g in groups)
    yield _table("study_group_teachers", "school_id teaching_id study_group_id person_id validity", rows)
    members = ((school, g.study_group_id, member, taught) for g in groups for member in g.member_ids)
    yield _table("study_group_members", "school_id study_group_id student_id validity", members)


def _taught(roster: Roster) -> tuple[date, date]:
    """The days on which courses are taught, from the first to the day after the last."""
    return roster.year.first_day, date(roster.year.last_day.year, *_LAST_LESSON) + _DAY


def _accounts(roster: Roster, password_hash: str) -> Iterator[Table]:
    school = roster.school.school_id
    opened = ((a.account_id, a.login, password_hash, a.create_time) for a in roster.accounts if a.is_new)
    yield _table("accounts", "account_id login password_hash create_time", opened)
    people = ((a.account_id, school, a.person_id) for a in roster.accounts)
    yield _table("account_people", "account_id school_id person_id", people)
    columns = (
        "school_id grant_id student_id account_id holder_person_id role guardianship_id application_number application_date"
        " granted_by_account_id granted_by_role grant_time"
    )
    rows = (
        (
            school,
            g.grant_id,
            g.student_id,
            g.account_id,
            g.holder_id,
            g.role,
            g.guardianship_id,
            g.application_number,
            g.application_date,
            g.granted_by_account_id,
            Role.CLASS_TEACHER,
            g.grant_time,
        )
        for g in roster.grants
    )
    yield _table("grants", columns, rows)
    # The office numbers on after the applications that these grants follow.
    filed = {(g.application_number, g.application_date.year) for g in roster.grants}
    taken = Counter(year for _, year in filed)
    counters = ((school, "applications", year, count) for year, count in sorted(taken.items()))
    yield _table("counters", "school_id name year value", counters)


def _derive_relations(roster: Roster) -> Iterator[relations.DerivedRelation]:
    """By the rules of the live path."""
    school, zone = roster.school.school_id, roster.school.time_zone
    accounts = {account.person_id: account.account_id for account in roster.accounts}
    guardianships: dict[UUID, list[Guardianship]] = defaultdict(list)
    for one in roster.guardianships:
        guardianships[one.student_id].append(one)
    births = {student.person.person_id: student.person.birth_date for student in roster.students}
    for g in roster.grants:
        held = [one for one in guardianships[g.student_id] if one.guardian_id == g.holder_id]
        is_authority = any(one.guardianship_id == g.guardianship_id and one.kind is GuardianKind.REPRESENTATIVE for one in held)
        held = [one for one in held if (one.kind is GuardianKind.REPRESENTATIVE) == is_authority]
        first, last = min((one.from_date for one in held), default=None), max((one.end_date for one in held), default=None)
        bounds = relations.Bounds(births[g.student_id], first, last)
        fact = relations.GrantFact(g.grant_id, g.account_id, g.role, g.student_id, g.grant_time, None, bounds)
        yield from relations.derive_from_grant(fact, zone)
    for a in roster.appointments:
        of_staff = relations.AppointmentFact(a.appointment_id, accounts[a.person_id], a.role, a.class_id, a.from_date, None)
        yield from relations.derive_from_appointment(of_staff, school, zone)
    start, end = _taught(roster)
    for group in roster.study_groups:
        teaching = relations.TeachingFact(group.teaching_id, accounts[group.teacher_id], group.study_group_id, start, end)
        yield from relations.derive_from_teaching(teaching, zone)


def _relations(school: UUID, derived: Iterable[tuple[UUID, relations.DerivedRelation]]) -> Table:
    columns = "school_id relation_id fact_id kind object_id account_id role valid_from_time valid_to_time"
    rows = (
        (school, relation_id, r.fact_id, r.kind, r.object_id, r.account_id, r.role, r.valid_from_time, r.valid_to_time)
        for relation_id, r in derived
    )
    return _table("relations", columns, rows)


def _outbox(roster: Roster, relation_ids: Sequence[UUID], ids: Ids, now: datetime) -> Table:
    """RosterChanged of every entry."""
    school = roster.school.school_id
    entries = (
        (roster_pb2.ROSTER_KIND_SCHOOL, [school]),
        (roster_pb2.ROSTER_KIND_CLASS, [c.class_id for c in roster.classes]),
        (roster_pb2.ROSTER_KIND_STUDENT, [s.person.person_id for s in roster.students]),
        (roster_pb2.ROSTER_KIND_STUDY_GROUP, [g.study_group_id for g in roster.study_groups]),
        (roster_pb2.ROSTER_KIND_RELATION, relation_ids),
    )
    messages = chain.from_iterable(convert.roster_changed(school, kind, entry_ids) for kind, entry_ids in entries)
    rows = ((ids.next(), school, m.DESCRIPTOR.full_name, m.SerializeToString(), now) for m in messages)
    return _table("outbox", "event_id school_id subject payload create_time", rows)
