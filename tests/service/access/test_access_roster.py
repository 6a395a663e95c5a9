"""Classes for staff, entries for the other services, schools for anyone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest

from diary.access.v1 import roster_pb2, roster_service_pb2_grpc, school_service_pb2, school_service_pb2_grpc, student_pb2
from diary.access.v1 import roster_service_pb2 as pb
from diary.options.v1 import options_pb2
from services.access.people.rules.roles import Role
from tests.support.services import refused, sign_service
from tests.worlds.access import END, START, ZONE, SchoolWorld, make_empty_school, make_school
from tests.worlds.access_service import Backends

NO_SCHOOL = (grpc.StatusCode.NOT_FOUND, "SCHOOL_NOT_FOUND")
WRONG_ROLE = (grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")
KINDS = [
    roster_pb2.ROSTER_KIND_SCHOOL,
    roster_pb2.ROSTER_KIND_CLASS,
    roster_pb2.ROSTER_KIND_STUDENT,
    roster_pb2.ROSTER_KIND_STUDY_GROUP,
    roster_pb2.ROSTER_KIND_RELATION,
]


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return roster_service_pb2_grpc.RosterServiceStub(channel)


def _key(entry: roster_pb2.RosterEntry) -> str:
    kind = entry.WhichOneof("entry")
    assert kind is not None
    row = getattr(entry, kind)
    return str(row.school.school_id if kind == "school" else getattr(row, f"{kind}_id"))


async def _list_all(
    stub: Any, school: SchoolWorld, kind: int, metadata: Any, page_size: int = 0
) -> list[roster_pb2.RosterEntry]:
    entries: list[roster_pb2.RosterEntry] = []
    token = ""
    while True:
        request = pb.ListRosterRequest(
            school_id=str(school.school_id),
            kind=kind,  # type: ignore[arg-type]
            page_size=page_size,
            page_token=token,
        )
        page = await stub.ListRoster(request, metadata=metadata)
        entries += page.entries
        token = page.next_page_token
        if not token:
            return entries


async def test_classes_stand_by_grade_and_name_with_teacher_and_count(
    stub: Any, backends: Backends, school: SchoolWorld
) -> None:
    await school.add_class("10-А", [10])
    await school.add_class("1-3", [1, 3])
    metadata = backends.sign_in(school.people["teacher"], "teacher")
    seen: list[student_pb2.SchoolClass] = []
    token = ""
    while True:
        request = pb.ListClassesRequest(school_id=str(school.school_id), page_size=2, page_token=token)
        page = await stub.ListClasses(request, metadata=metadata)
        seen += page.classes
        token = page.next_page_token
        if not token:
            break
    assert [(c.name, list(c.grades), c.class_teacher_name, c.student_count) for c in seen] == [
        ("1-3", [1, 3], "", 0),
        ("8-А", [8], "Петрова Нина Ивановна", 1),
        ("8-Б", [8], "Сидорова Алла Юрьевна", 1),
        ("10-А", [10], "", 0),
    ]


async def test_the_year_of_a_list_is_that_of_the_day_and_not_the_newest_brought(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    """Clause R13: next year's classes, brought early, are not of this year, nor are those of a year ago."""
    metadata = backends.sign_in(school.people["teacher"], "teacher")
    request = pb.ListClassesRequest(school_id=str(school.school_id))
    before = [one.class_id for one in (await stub.ListClasses(request, metadata=metadata)).classes]
    assert before
    for name, validity in (("2019/20", "[2019-09-01,2020-06-01)"), ("next", f"[{END:%Y-%m-%d},infinity)")):
        year = await admin.fetchval(
            "INSERT INTO school_years (school_id, name, validity) VALUES ($1, $2, $3::text::daterange) RETURNING year_id",
            school.school_id,
            name,
            validity,
        )
        await admin.execute("UPDATE schools SET current_year_id = $2 WHERE school_id = $1", school.school_id, year)
        await admin.execute(
            "INSERT INTO classes (school_id, year_id, name, grades) VALUES ($1, $2, '8-А', '{8}')", school.school_id, year
        )
    assert [one.class_id for one in (await stub.ListClasses(request, metadata=metadata)).classes] == before


async def test_staff_of_another_school_and_families_list_no_classes(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    other = await make_school(admin)
    # Who has a course but no appointment works in no school.
    await school.add_study_group("8-А", "Алгебра", "father", "anna")
    await school.derive("father")
    request = pb.ListClassesRequest(school_id=str(school.school_id))
    for person, role, answer in (
        (other.people["teacher"], "teacher", NO_SCHOOL),
        (school.people["mother"], "teacher", NO_SCHOOL),
        (school.people["father"], "teacher", NO_SCHOOL),
        (school.people["mother"], "guardian", WRONG_ROLE),
        (school.people["anna"], "student", WRONG_ROLE),
    ):
        assert await refused(stub.ListClasses(request, metadata=backends.sign_in(person, role))) == answer


async def test_an_appointment_that_has_ended_lists_no_classes(stub: Any, backends: Backends, school: SchoolWorld) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)  # noqa: TID251
    await school.appoint("mother", Role.SECRETARY, to_date=yesterday)
    await school.derive("mother")
    metadata = backends.sign_in(school.people["mother"], "secretary")
    request = pb.ListClassesRequest(school_id=str(school.school_id))
    assert await refused(stub.ListClasses(request, metadata=metadata)) == NO_SCHOOL


async def test_the_roster_of_a_school_says_its_year_and_scale(stub: Any, backends: Backends, school: SchoolWorld) -> None:
    [entry] = await _list_all(stub, school, roster_pb2.ROSTER_KIND_SCHOOL, sign_service(backends.keys_dir, "journal"))
    assert (entry.school.school.code, entry.school.school.time_zone) == (school.code, ZONE)
    assert (entry.school.year_start_date, entry.school.year_end_date) == (START.isoformat(), "2090-08-31")
    assert (entry.school.mark_min, entry.school.version) == (2, 1)


async def test_classes_and_students_are_told_with_grades_names_and_placement(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    metadata = sign_service(backends.keys_dir, "journal")
    classes = [getattr(e, "class") for e in await _list_all(stub, school, roster_pb2.ROSTER_KIND_CLASS, metadata)]
    assert {(c.name, tuple(c.grades), c.version) for c in classes} == {("8-А", (8,), 1), ("8-Б", (8,), 1)}
    assert {c.name: c.class_teacher_name for c in classes} == {
        "8-А": "Петрова Нина Ивановна",
        "8-Б": "Сидорова Алла Юрьевна",
    }
    anna = school.people["anna"].person_id
    await admin.execute(
        "UPDATE placements SET validity = daterange($2, $3) WHERE student_id = $1", anna, START, START + timedelta(days=30)
    )
    students = {
        e.student.display_name: e.student for e in await _list_all(stub, school, roster_pb2.ROSTER_KIND_STUDENT, metadata)
    }
    assert students["Жуков Борис"].class_id == str(school.classes["8-Б"])
    assert students["Ёлкина Анна"].class_id == ""
    # ё after е and before ж.
    assert students["Ёлкина Анна"].sort_key < students["Жуков Борис"].sort_key


async def test_a_study_group_is_told_with_teachers_and_members_also_those_who_left(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    group = await school.add_study_group("8-А", "Алгебра", "class_teacher", "anna", "boris")
    await admin.execute(
        "UPDATE study_group_members SET validity = daterange($2, $3) WHERE student_id = $1",
        school.people["boris"].person_id,
        START,
        START + timedelta(days=30),
    )
    [entry] = await _list_all(stub, school, roster_pb2.ROSTER_KIND_STUDY_GROUP, sign_service(backends.keys_dir, "journal"))
    told = entry.study_group
    assert (told.study_group_id, told.class_id) == (str(group), str(school.classes["8-А"]))
    assert (told.subject_name, told.group_name, told.is_marked) == ("Алгебра", "", True)
    assert list(told.teacher_names) == ["Петрова Н. И."]
    assert (told.start_date, told.end_date) == (START.isoformat(), (END - timedelta(days=1)).isoformat())
    assert {m.student_id: (m.from_date, m.to_date) for m in told.members} == {
        str(school.people["anna"].person_id): (START.isoformat(), ""),
        str(school.people["boris"].person_id): (START.isoformat(), "2020-09-30"),
    }


async def test_relations_are_told_also_when_they_have_ended(stub: Any, backends: Backends, school: SchoolWorld) -> None:
    group = await school.add_study_group("8-А", "Алгебра", "teacher", "anna")
    await school.appoint("father", Role.SECRETARY, to_date=START + timedelta(days=30))
    await school.derive()
    metadata = sign_service(backends.keys_dir, "journal")
    told = [entry.relation for entry in await _list_all(stub, school, roster_pb2.ROSTER_KIND_RELATION, metadata)]
    found = {(r.account_id, int(r.kind), r.object_id, int(r.role), r.HasField("valid_to_time")) for r in told}
    people = school.people
    expected = {
        (people["admin"], options_pb2.RELATION_SCHOOL, school.school_id, Role.ADMIN, False),
        (people["teacher"], options_pb2.RELATION_SCHOOL, school.school_id, Role.TEACHER, False),
        (people["teacher"], options_pb2.RELATION_COURSE, group, Role.TEACHER, True),
        (people["class_teacher"], options_pb2.RELATION_SCHOOL, school.school_id, Role.CLASS_TEACHER, False),
        (people["class_teacher"], options_pb2.RELATION_CLASS, school.classes["8-А"], Role.CLASS_TEACHER, False),
        (people["other_class_teacher"], options_pb2.RELATION_SCHOOL, school.school_id, Role.CLASS_TEACHER, False),
        (people["other_class_teacher"], options_pb2.RELATION_CLASS, school.classes["8-Б"], Role.CLASS_TEACHER, False),
        (people["anna"], options_pb2.RELATION_STUDENT, people["anna"].person_id, Role.STUDENT, False),
        (people["mother"], options_pb2.RELATION_STUDENT, people["anna"].person_id, Role.GUARDIAN, False),
        (people["father"], options_pb2.RELATION_STUDENT, people["anna"].person_id, Role.GUARDIAN, False),
        (people["father"], options_pb2.RELATION_SCHOOL, school.school_id, Role.SECRETARY, True),
        (people["other_mother"], options_pb2.RELATION_STUDENT, people["boris"].person_id, Role.GUARDIAN, False),
    }
    assert found == {(str(p.account_id), kind, str(obj), role, ended) for p, kind, obj, role, ended in expected}
    first = min(r.valid_from_time.ToDatetime() for r in told if r.kind == options_pb2.RELATION_SCHOOL)
    assert first.isoformat() == "2020-08-31T21:00:00"  # midnight of the first of September in Simferopol


@pytest.mark.parametrize("kind", KINDS)
async def test_pages_and_batches_give_the_same_entries_as_one_page(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld, kind: int
) -> None:
    await make_school(admin)
    await school.add_study_group("8-А", "Алгебра", "class_teacher", "anna")
    await school.add_study_group("8-Б", "Химия", "teacher", "boris")
    await school.derive()
    metadata = sign_service(backends.keys_dir, "notify")
    whole = await _list_all(stub, school, kind, metadata, page_size=500)
    assert [_key(entry) for entry in whole] == sorted(_key(entry) for entry in whole)
    assert await _list_all(stub, school, kind, metadata, page_size=1) == whole
    wanted = [_key(entry) for entry in whole]
    request = pb.BatchGetRosterRequest(
        school_id=str(school.school_id),
        kind=kind,  # type: ignore[arg-type]
        ids=[*wanted, str(uuid4())],
    )
    batch = await stub.BatchGetRoster(request, metadata=metadata)
    assert sorted(batch.entries, key=_key) == whole


@pytest.mark.parametrize("kind", KINDS)
async def test_entries_of_another_school_and_of_none_are_left_out(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld, kind: int
) -> None:
    other = await make_school(admin)
    metadata = sign_service(backends.keys_dir, "notify")
    foreign = [_key(entry) for entry in await _list_all(stub, other, kind, metadata)]
    for school_id in (school.school_id, uuid4()):
        request = pb.BatchGetRosterRequest(
            school_id=str(school_id),
            kind=kind,  # type: ignore[arg-type]
            ids=foreign or [str(uuid4())],
        )
        assert not (await stub.BatchGetRoster(request, metadata=metadata)).entries
    nowhere = pb.ListRosterRequest(school_id=str(uuid4()), kind=kind)  # type: ignore[arg-type]
    assert not (await stub.ListRoster(nowhere, metadata=metadata)).entries


async def test_people_may_not_call_what_is_for_services(stub: Any, backends: Backends, school: SchoolWorld) -> None:
    metadata = backends.sign_in(school.people["admin"], "admin", "head", "operator")
    request = pb.ListRosterRequest(school_id=str(school.school_id), kind=roster_pb2.ROSTER_KIND_STUDENT)
    assert await refused(stub.ListRoster(request, metadata=metadata)) == WRONG_ROLE


async def test_anyone_lists_schools_by_code(channel: grpc.aio.Channel, admin: Any) -> None:
    stub = school_service_pb2_grpc.SchoolServiceStub(channel)
    made = {(await make_empty_school(admin)).code for _ in range(3)}
    codes: list[str] = []
    token = ""
    while True:
        page = await stub.ListSchools(school_service_pb2.ListSchoolsRequest(page_size=2, page_token=token))
        codes += [school.code for school in page.schools]
        token = page.next_page_token
        if not token:
            break
    assert codes == sorted(codes)
    assert len(codes) == len(set(codes))
    assert made <= set(codes)
