"""Who sees what: the permissions of every RPC, and that denied and absent answer alike."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest

from diary.access.v1 import relation_pb2
from diary.journal.v1 import diary_service_pb2, journal_service_pb2
from diary.options.v1 import options_pb2
from tests.support.services import instant, refused, sign_service
from tests.worlds.journal import (
    WEEK,
    Person,
    School,
    World,
    cell,
    record_attendance,
    record_lesson,
    record_marks,
    student_entry,
)

SESSION_ENDED = (grpc.StatusCode.UNAUTHENTICATED, "SESSION_ENDED")
NO_STUDENT = (grpc.StatusCode.NOT_FOUND, "STUDENT_NOT_FOUND")
NO_COURSE = (grpc.StatusCode.NOT_FOUND, "COURSE_NOT_FOUND")


async def end_relation(world: World, school: School, relation: relation_pb2.Relation, time: str) -> None:
    """As access does when an access ends: a higher version with its end, pushed."""
    ended = relation_pb2.Relation()
    ended.CopyFrom(relation)
    ended.version += 1
    ended.valid_to_time.FromDatetime(instant(time))
    request = relation_pb2.ApplyRelationsRequest(school_id=school.school_id, relations=[ended])
    await world.relations.ApplyRelations(request, metadata=sign_service(world.keys_dir, "access", world.clock))


async def end_session(world: World, person: Person) -> None:
    """As access does when a session ends."""
    session = relation_pb2.EndedSession(session_id=str(person.session_id))
    session.ended_time.FromDatetime(world.clock.now())
    request = relation_pb2.ApplyRelationsRequest(ended_sessions=[session])
    await world.relations.ApplyRelations(request, metadata=sign_service(world.keys_dir, "access", world.clock))


async def test_a_week_is_refused_alike_for_every_reason(world: World, school: School) -> None:
    mother = await world.guardian(school, school.student_ids[0])
    other_school = await world.school()
    strangers = [
        (school, school.student_ids[1]),  # a classmate
        (school, school.other_student_id),  # of another class
        (other_school, other_school.student_ids[0]),  # of another school
        (other_school, school.student_ids[0]),  # the own child under another school
        (school, str(uuid4())),  # a guess
        (School(str(uuid4()), "", "", "", "", "", [], ""), school.student_ids[0]),  # no such school
    ]
    for where, student_id in strangers:
        for week in (WEEK, ""):
            assert await refused(world.week(where, student_id, mother, week)) == NO_STUDENT
    assert await world.week(school, school.student_ids[0], mother)


async def test_an_ended_grant_closes_the_week_at_once_and_the_fathers_stays(world: World, school: School) -> None:
    student = school.student_ids[0]
    mother = await world.guardian(school, student)
    relation = school.relations[student]
    father = await world.guardian(school, student)
    await world.week(school, student, mother)
    await end_relation(world, school, relation, "2026-11-18T12:00:00+03:00")
    assert await refused(world.week(school, student, mother)) == NO_STUDENT
    assert await world.week(school, student, father)


async def test_a_relation_that_ends_or_begins_later_holds_by_its_times(world: World, school: School) -> None:
    student = school.student_ids[0]
    mother = await world.guardian(school, student)
    await end_relation(world, school, school.relations[student], "2026-11-18T12:00:01+03:00")
    assert await world.week(school, student, mother)
    later = world.person("guardian")
    relation = world.relate(school, later, options_pb2.RELATION_STUDENT, student, options_pb2.ROLE_GUARDIAN)
    relation.valid_from_time.FromDatetime(instant("2026-11-18T12:00:01+03:00"))
    world.roster.put_relation(school.school_id, relation)
    await world.load(school)
    assert await refused(world.week(school, student, later)) == NO_STUDENT


async def test_an_ended_session_sees_and_writes_nothing(world: World, school: School) -> None:
    mother, teacher = await world.guardian(school, school.student_ids[0]), await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    await end_session(world, mother)
    await end_session(world, teacher)
    assert await refused(world.week(school, school.student_ids[0], mother)) == SESSION_ENDED
    assert await refused(world.page(school, teacher)) == SESSION_ENDED
    call = world.journal.RecordMarks(
        record_marks(school, cell(lesson.lesson_id, school.student_ids[0])), metadata=teacher.metadata
    )
    assert await refused(call) == SESSION_ENDED


async def test_the_student_the_class_teacher_and_the_heads_see_the_week(world: World, school: School) -> None:
    student = school.student_ids[0]
    own = world.person("student")
    world.relate(school, own, options_pb2.RELATION_STUDENT, student, options_pb2.ROLE_STUDENT)
    seeing = [own, await world.class_teacher(school, school.class_id)]
    seeing += [await world.staff(school, role) for role in ("deputy", "admin", "head")]
    for person in seeing:
        assert (await world.week(school, student, person)).student_id == student
    other = await world.class_teacher(school, school.other_class_id)
    assert await refused(world.week(school, student, other)) == NO_STUDENT


@pytest.mark.parametrize("role", ["secretary", "specialist"])
async def test_a_place_at_the_school_alone_opens_no_diary(world: World, school: School, role: str) -> None:
    # The token lies: roles in it are a hint, never a ground.
    person = world.person("admin", "head")
    number = options_pb2.Role.Value(f"ROLE_{role.upper()}")
    world.relate(school, person, options_pb2.RELATION_SCHOOL, school.school_id, number)
    await world.load(school)
    assert await refused(world.week(school, school.student_ids[0], person)) == NO_STUDENT
    assert await refused(world.page(school, person)) == NO_COURSE


async def test_a_guardian_may_not_call_the_journal(world: World, school: School) -> None:
    mother = await world.guardian(school, school.student_ids[0])
    status, reason = await refused(world.page(school, mother))
    assert (status, reason) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")


def _lesson(world: World, where: School, course_id: str, person: Person) -> Any:
    return world.journal.RecordLesson(record_lesson(where, course_id=course_id), metadata=person.metadata)


def _marks(world: World, where: School, course_id: str, person: Person) -> Any:
    request = record_marks(where, cell(str(uuid4()), str(uuid4())), course_id=course_id)
    return world.journal.RecordMarks(request, metadata=person.metadata)


def _attendance(world: World, where: School, course_id: str, person: Person) -> Any:
    request = record_attendance(where, str(uuid4()), {})
    request.course_id = course_id
    return world.journal.RecordAttendance(request, metadata=person.metadata)


def _page(world: World, where: School, course_id: str, person: Person) -> Any:
    return world.page(where, person, course_id)


@pytest.mark.parametrize("call", [_lesson, _marks, _attendance, _page])
async def test_a_course_is_refused_alike_for_every_reason(
    world: World, school: School, call: Callable[[World, School, str, Person], Awaitable[Any]]
) -> None:
    teacher, other_school = await world.teacher(school), await world.school()
    strangers = [
        (school, school.other_algebra),
        (other_school, other_school.algebra),
        (other_school, school.algebra),
        (school, str(uuid4())),
    ]
    for where, course_id in strangers:
        assert await refused(call(world, where, course_id, teacher)) == NO_COURSE


async def test_the_class_teacher_and_the_heads_read_the_page_and_may_not_record(world: World, school: School) -> None:
    reading = [await world.class_teacher(school, school.class_id)]
    reading += [await world.staff(school, role) for role in ("deputy", "admin", "head")]
    for person in reading:
        assert not (await world.page(school, person)).may_record
    assert (await world.page(school, await world.teacher(school))).may_record
    other = await world.class_teacher(school, school.other_class_id)
    assert await refused(world.page(school, other)) == NO_COURSE


async def _list(world: World, school: School, person: Person, size: int = 0) -> list[str]:
    names, token = [], ""
    while True:
        answer = await world.journal.ListCourses(
            journal_service_pb2.ListCoursesRequest(school_id=school.school_id, page_size=size, page_token=token),
            metadata=person.metadata,
        )
        names += [f"{course.class_name} {course.subject_name}" for course in answer.courses]
        token = answer.next_page_token
        if not token:
            return names


async def test_each_lists_the_courses_that_concern_them(world: World, school: School) -> None:
    class_courses = ["8-А Алгебра", "8-А Разговоры о важном"]
    assert await _list(world, school, await world.teacher(school)) == ["8-А Алгебра"]
    assert await _list(world, school, await world.class_teacher(school, school.class_id)) == class_courses
    assert await _list(world, school, await world.staff(school, "head")) == [*class_courses, "8-Б Алгебра"]


async def test_own_courses_are_told_from_those_of_colleagues(world: World, school: School) -> None:
    person = await world.teacher(school)
    world.relate(school, person, options_pb2.RELATION_CLASS, school.class_id, options_pb2.ROLE_CLASS_TEACHER)
    await world.load(school)
    request = journal_service_pb2.ListCoursesRequest(school_id=school.school_id)
    courses = (await world.journal.ListCourses(request, metadata=person.metadata)).courses
    assert {course.subject_name: course.is_own for course in courses} == {"Алгебра": True, "Разговоры о важном": False}
    page = await world.page(school, person)
    assert (page.course.is_own, page.sees_illness) == (True, True)
    assert not (await world.page(school, await world.teacher(school))).sees_illness


async def test_a_list_in_pages_of_one_has_each_course_once(world: World, school: School) -> None:
    head = await world.staff(school, "head")
    assert await _list(world, school, head, 1) == await _list(world, school, head)


async def test_a_list_of_another_school_is_not_found(world: World, school: School) -> None:
    head, other_school = await world.staff(school, "head"), await world.school()
    for where in (other_school, School(str(uuid4()), "", "", "", "", "", [], "")):
        assert await refused(_list(world, where, head)) == (grpc.StatusCode.NOT_FOUND, "SCHOOL_NOT_FOUND")


async def test_a_token_of_another_list_is_refused(world: World, school: School) -> None:
    head = await world.staff(school, "head")
    call = world.journal.ListCourses(
        journal_service_pb2.ListCoursesRequest(school_id=school.school_id, page_token="AAAA"), metadata=head.metadata
    )
    assert await refused(call) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")


async def test_marks_for_letters_are_for_services_alone(world: World, school: School) -> None:
    mother = await world.guardian(school, school.student_ids[0])
    request = diary_service_pb2.BatchGetMarksRequest(school_id=school.school_id, mark_ids=[str(uuid4())])
    status, reason = await refused(world.diary.BatchGetMarks(request, metadata=mother.metadata))
    assert (status, reason) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")


async def test_who_moves_on_a_day_is_of_the_new_class_from_its_midnight(world: World, school: School) -> None:
    """Clause R9: told days before, with no event on the day; the school's midnight is 21:00 UTC."""
    student, midnight = school.student_ids[0], instant("2026-12-05T00:00:00+03:00")
    weeks = ("2026-W48", "2026-W49")
    entry = student_entry(student, "Аль Хасан Омар", school.class_id)
    entry.student.version = 2
    former = entry.student.placements.add(class_id=school.class_id)
    former.from_time.FromDatetime(instant("2026-09-01T00:00:00+03:00"))
    former.to_time.FromDatetime(midnight)
    entry.student.placements.add(class_id=school.other_class_id).from_time.FromDatetime(midnight)
    world.roster.put(school.school_id, entry)
    before, after = [await world.class_teacher(school, one) for one in (school.class_id, school.other_class_id)]
    await world.load(school)

    async def lists(class_id: str, week: str) -> list[str]:
        request = diary_service_pb2.GetClassWeekRequest(school_id=school.school_id, class_id=class_id, week=week)
        answer = await world.diary.GetClassWeek(request, metadata=sign_service(world.keys_dir, "documents", world.clock))
        return [one.student_id for one in answer.students]

    world.clock.advance(midnight - world.clock.now() - timedelta(seconds=1))
    former_teacher, new_teacher = (world.renew(person, "class_teacher") for person in (before, after))
    assert await world.week(school, student, former_teacher)
    assert await refused(world.week(school, student, new_teacher)) == NO_STUDENT
    # Clause R7: a week is of the class of its end, before and after the move, printed when it may be.
    of_classes = {week: [await lists(c, week) for c in (school.class_id, school.other_class_id)] for week in weeks}
    assert [[student in listed for listed in of_classes[week]] for week in weeks] == [[True, False], [False, True]]
    world.clock.advance(timedelta(seconds=1))
    assert await refused(world.week(school, student, former_teacher)) == NO_STUDENT
    assert await world.week(school, student, new_teacher)
    assert of_classes == {week: [await lists(c, week) for c in (school.class_id, school.other_class_id)] for week in weeks}


async def test_who_leaves_within_a_week_is_listed_until_then_and_who_comes_after_it_is_not(
    world: World, school: School
) -> None:
    """The last week of a year too: a class whose time ends within it is printed while it lasts."""
    leaver, newcomer = school.student_ids[:2]
    end, start = instant("2026-12-04T00:00:00+03:00"), instant("2026-12-07T00:00:00+03:00")
    for student, first, last in (leaver, "2026-09-01", end), (newcomer, "2026-12-07", None):
        entry = student_entry(student, "Аль Хасан Омар", school.class_id)
        entry.student.version = 2
        place = entry.student.placements.add(class_id=school.class_id)
        place.from_time.FromDatetime(instant(f"{first}T00:00:00+03:00"))
        if last:
            place.to_time.FromDatetime(last)
        world.roster.put(school.school_id, entry)
    await world.load(school)

    async def listed() -> tuple[bool, bool]:
        request = diary_service_pb2.GetClassWeekRequest(school_id=school.school_id, class_id=school.class_id, week="2026-W49")
        answer = await world.diary.GetClassWeek(request, metadata=sign_service(world.keys_dir, "documents", world.clock))
        ids = [one.student_id for one in answer.students]
        return leaver in ids, newcomer in ids

    world.clock.advance(end - world.clock.now() - timedelta(seconds=1))
    assert await listed() == (True, False)
    world.clock.advance(timedelta(seconds=1))
    assert await listed() == (False, False)
    world.clock.advance(start - world.clock.now())
    assert await listed() == (False, False)
