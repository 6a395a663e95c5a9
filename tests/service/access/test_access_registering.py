"""Students and guardianships for whoever registers applications (Clauses R6, R9)."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest

from diary.access.v1 import guardianship_pb2, roster_service_pb2_grpc
from diary.access.v1 import roster_service_pb2 as pb
from services.access.people.rules.roles import Role
from tests.support.services import refused
from tests.worlds.access import START, SchoolWorld, make_school
from tests.worlds.access_service import Backends

NO_CLASS = (grpc.StatusCode.NOT_FOUND, "CLASS_NOT_FOUND")
NO_STUDENT = (grpc.StatusCode.NOT_FOUND, "STUDENT_NOT_FOUND")
WRONG_ROLE = (grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Any:
    return roster_service_pb2_grpc.RosterServiceStub(channel)


def _students(school: SchoolWorld, class_id: UUID | None = None, **page: Any) -> pb.ListStudentsRequest:
    return pb.ListStudentsRequest(school_id=str(school.school_id), class_id=str(class_id) if class_id else "", **page)


def _guardianships(school: SchoolWorld, student_id: UUID, **page: Any) -> pb.ListGuardianshipsRequest:
    return pb.ListGuardianshipsRequest(school_id=str(school.school_id), student_id=str(student_id), **page)


async def _pages(stub: Any, school: SchoolWorld, metadata: Any, page_size: int) -> list[list[str]]:
    pages, token = [], ""
    while True:
        answer = await stub.ListStudents(_students(school, page_size=page_size, page_token=token), metadata=metadata)
        pages.append([student.display_name for student in answer.students])
        token = answer.next_page_token
        if not token:
            return pages


async def test_an_admin_and_a_secretary_list_the_whole_school_by_name(
    stub: Any, backends: Backends, school: SchoolWorld
) -> None:
    await school.add_student("eva", "8-А", "Егорова", "Ева")
    await school.appoint("teacher", Role.SECRETARY)
    await school.derive("teacher")
    for key, role in (("admin", "admin"), ("teacher", "secretary")):
        pages = await _pages(stub, school, backends.sign_in(school.people[key], role), 2)
        assert pages == [["Егорова Ева", "Ёлкина Анна"], ["Жуков Борис"]]


async def test_a_class_teacher_lists_the_own_class_and_no_other(stub: Any, backends: Backends, school: SchoolWorld) -> None:
    metadata = backends.sign_in(school.people["class_teacher"], "class_teacher")
    own = school.classes["8-А"]
    for request in (_students(school), _students(school, own)):
        [student] = (await stub.ListStudents(request, metadata=metadata)).students
        assert (student.display_name, student.class_name, student.class_id) == ("Ёлкина Анна", "8-А", str(own))
    for other in (school.classes["8-Б"], uuid4()):
        assert await refused(stub.ListStudents(_students(school, other), metadata=metadata)) == NO_CLASS


async def test_who_has_left_is_not_listed_and_who_is_in_no_class_is(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    leaver, unplaced = school.people["boris"].person_id, school.people["anna"].person_id
    await admin.execute("DELETE FROM placements WHERE student_id = ANY ($1::uuid[])", [leaver, unplaced])
    await admin.execute(
        "UPDATE enrolments SET validity = daterange($2, $3) WHERE student_id = $1", leaver, START, START + timedelta(days=30)
    )
    answer = await stub.ListStudents(_students(school), metadata=backends.sign_in(school.people["admin"], "admin"))
    assert [(student.display_name, student.class_id) for student in answer.students] == [("Ёлкина Анна", "")]


async def test_a_week_lists_who_was_of_the_class_at_its_end_whoever_has_moved_since(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    """Decision 0109: the same whom a printed week lists."""
    anna, boris, monday = school.people["anna"].person_id, school.people["boris"].person_id, date(2026, 3, 16)
    metadata = backends.sign_in(school.people["class_teacher"], "class_teacher")
    own, other = school.classes["8-А"], school.classes["8-Б"]
    placed = "UPDATE placements SET validity = daterange($2, $3) WHERE student_id = $1"
    moved = "INSERT INTO placements (school_id, student_id, class_id, validity) VALUES ($1, $2, $3, daterange($4, NULL))"
    # One leaves the class for another within the week, one comes from there the week after.
    for student_id, day, to in ((anna, monday + timedelta(days=9), other), (boris, monday + timedelta(days=4), own)):
        await admin.execute(placed, student_id, START, day)
        await admin.execute(moved, school.school_id, student_id, to, day)

    async def listed(week: int) -> list[str]:
        day = (monday + timedelta(days=7 * week)).isoformat()
        answer = await stub.ListStudents(_students(school, own, monday_date=day), metadata=metadata)
        return [student.display_name for student in answer.students]

    assert [await listed(week) for week in (-1, 0, 1, 2)] == [
        ["Ёлкина Анна"],
        ["Ёлкина Анна", "Жуков Борис"],
        ["Жуков Борис"],
        ["Жуков Борис"],
    ]
    wrong = _students(school, own, monday_date="2026-03-17")
    assert await refused(stub.ListStudents(wrong, metadata=metadata)) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")
    strange = _students(school, other, monday_date=monday.isoformat())
    assert await refused(stub.ListStudents(strange, metadata=metadata)) == NO_CLASS


async def test_who_left_within_a_week_is_not_in_its_list_and_who_has_moved_is_told_with_no_class(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    """Decision 0109, Clause R9: the journal lists the same, and a former teacher learns of no new class."""
    anna, monday = school.people["anna"].person_id, date(2026, 3, 16)
    metadata, own = backends.sign_in(school.people["class_teacher"], "class_teacher"), school.classes["8-А"]
    placed = "UPDATE placements SET validity = daterange($2, $3) WHERE student_id = $1"

    async def listed() -> list[tuple[str, str]]:
        answer = await stub.ListStudents(_students(school, own, monday_date=monday.isoformat()), metadata=metadata)
        return [(student.display_name, student.class_name) for student in answer.students]

    await admin.execute(placed, anna, START, monday + timedelta(days=2))
    assert await listed() == []
    await admin.execute(placed, anna, START, monday + timedelta(days=7))
    moved = "INSERT INTO placements (school_id, student_id, class_id, validity) VALUES ($1, $2, $3, daterange($4, NULL))"
    await admin.execute(moved, school.school_id, anna, school.classes["8-Б"], monday + timedelta(days=7))
    assert await listed() == [("Ёлкина Анна", "")]


async def test_a_student_is_told_to_the_own_class_teacher_and_absent_to_another(
    stub: Any, backends: Backends, school: SchoolWorld
) -> None:
    request = pb.GetStudentRequest(school_id=str(school.school_id), student_id=str(school.people["anna"].person_id))
    answer = await stub.GetStudent(request, metadata=backends.sign_in(school.people["class_teacher"], "class_teacher"))
    assert (answer.student.display_name, answer.student.class_name) == ("Ёлкина Анна", "8-А")
    other = backends.sign_in(school.people["other_class_teacher"], "class_teacher")
    assert await refused(stub.GetStudent(request, metadata=other)) == NO_STUDENT


async def test_guardianships_in_force_are_told_with_relation_and_document(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    anna = school.people["anna"].person_id
    metadata = backends.sign_in(school.people["class_teacher"], "class_teacher")
    first = await stub.ListGuardianships(_guardianships(school, anna, page_size=1), metadata=metadata)
    again = _guardianships(school, anna, page_size=1, page_token=first.next_page_token)
    second = await stub.ListGuardianships(again, metadata=metadata)
    found = [(g.guardian_name, g.kind, g.document, g.to_date) for g in (*first.guardianships, *second.guardianships)]
    document = "Свидетельство о рождении I-АЯ № 123456"
    assert found == [
        ("Ёлкин Пётр Ильич", guardianship_pb2.GUARDIAN_KIND_FATHER, document, ""),
        ("Ёлкина Мария Ивановна", guardianship_pb2.GUARDIAN_KIND_MOTHER, document, ""),
    ]
    await admin.execute(
        "UPDATE guardianships SET validity = daterange($2, $3) WHERE student_id = $1", anna, START, START + timedelta(days=30)
    )
    ended = await stub.ListGuardianships(_guardianships(school, anna), metadata=metadata)
    assert not ended.guardianships


async def test_guardianships_of_another_class_another_school_and_nobody_look_alike(
    stub: Any, backends: Backends, admin: Any, school: SchoolWorld
) -> None:
    metadata = backends.sign_in(school.people["class_teacher"], "class_teacher")
    other = await make_school(admin)
    for student_id in (school.people["boris"].person_id, other.people["anna"].person_id, uuid4()):
        assert await refused(stub.ListGuardianships(_guardianships(school, student_id), metadata=metadata)) == NO_STUDENT


async def test_teachers_and_families_list_neither(stub: Any, backends: Backends, school: SchoolWorld) -> None:
    for key, role in (("teacher", "teacher"), ("mother", "guardian"), ("anna", "student")):
        metadata = backends.sign_in(school.people[key], role)
        anna = school.people["anna"].person_id
        assert await refused(stub.ListStudents(_students(school), metadata=metadata)) == WRONG_ROLE
        assert await refused(stub.ListGuardianships(_guardianships(school, anna), metadata=metadata)) == WRONG_ROLE
