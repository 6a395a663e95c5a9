"""RecordLesson and RecordAttendance."""

import asyncio
from datetime import date, timedelta
from uuid import uuid4

import grpc
import pytest

from diary.journal.v1 import events_pb2, lesson_pb2
from diary.options.v1 import options_pb2
from tests.support.backends import Clone
from tests.support.services import refused
from tests.worlds.journal import TODAY, School, World, query, record_attendance, record_lesson

ABSENT = lesson_pb2.ABSENCE_CODE_ABSENT
EXCUSED = lesson_pb2.ABSENCE_CODE_EXCUSED
ILL = lesson_pb2.ABSENCE_CODE_ILL
LATE = lesson_pb2.ABSENCE_CODE_LATE
HELD = lesson_pb2.LESSON_STATE_HELD


async def test_a_planned_lesson_becomes_held_and_keeps_its_id(world: World, school: School, clone: Clone) -> None:
    teacher, planned = await world.teacher(school), str(uuid4())
    await query(
        clone.admin_dsn,
        "INSERT INTO lessons (school_id, lesson_id, course_id, lesson_date, lesson_number, state) "
        "VALUES ($1, $2, $3, $4, 3, 1)",
        school.school_id,
        planned,
        school.algebra,
        TODAY,
    )
    lesson = await world.lesson(school, teacher)
    assert (lesson.lesson_id, lesson.state) == (planned, HELD)


async def test_a_held_lesson_is_changed_by_its_own_etag_only(world: World, school: School) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    for stale in ("", "L7"):
        call = world.journal.RecordLesson(record_lesson(school, etag=stale), metadata=teacher.metadata)
        assert await refused(call) == (grpc.StatusCode.ABORTED, "LESSON_CHANGED")
    request = record_lesson(school, etag=lesson.etag, topic="Теорема Виета")
    changed = (await world.journal.RecordLesson(request, metadata=teacher.metadata)).lesson
    assert (changed.lesson_id, changed.topic) == (lesson.lesson_id, "Теорема Виета")
    assert changed.etag != lesson.etag


async def test_of_two_hands_at_once_one_records_the_lesson(world: World, school: School) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    requests = [record_lesson(school, etag=lesson.etag, topic=topic) for topic in ("Первая", "Вторая")]
    answers = await asyncio.gather(
        *(world.journal.RecordLesson(request, metadata=teacher.metadata) for request in requests), return_exceptions=True
    )
    assert sorted(isinstance(answer, grpc.aio.AioRpcError) for answer in answers) == [False, True]


async def test_a_repeated_request_records_one_lesson(world: World, school: School, clone: Clone) -> None:
    teacher, request = await world.teacher(school), record_lesson(school)
    first = await world.journal.RecordLesson(request, metadata=teacher.metadata)
    assert await world.journal.RecordLesson(request, metadata=teacher.metadata) == first
    rows = await query(clone.admin_dsn, "SELECT revision FROM lessons WHERE course_id = $1", school.algebra)
    assert [row["revision"] for row in rows] == [1]


@pytest.mark.parametrize(
    ("day", "status", "reason"),
    [
        (TODAY + timedelta(days=1), grpc.StatusCode.INVALID_ARGUMENT, "LESSON_IN_FUTURE"),
        (date(2026, 10, 28), grpc.StatusCode.FAILED_PRECONDITION, "DATE_OUTSIDE_PERIODS"),
        (date(2026, 8, 31), grpc.StatusCode.FAILED_PRECONDITION, "DATE_OUTSIDE_PERIODS"),
    ],
)
async def test_a_lesson_on_a_wrong_day_is_refused(
    world: World, school: School, day: date, status: grpc.StatusCode, reason: str
) -> None:
    teacher = await world.teacher(school)
    call = world.journal.RecordLesson(record_lesson(school, day), metadata=teacher.metadata)
    assert await refused(call) == (status, reason)


async def test_a_day_that_does_not_exist_is_refused(world: World, school: School) -> None:
    teacher = await world.teacher(school)
    request = record_lesson(school)
    request.lesson_date = "2026-02-30"
    call = world.journal.RecordLesson(request, metadata=teacher.metadata)
    assert await refused(call) == (grpc.StatusCode.INVALID_ARGUMENT, "DATE_INVALID")


async def test_today_is_the_schools_today(world: World) -> None:
    # Past midnight of the 19th in Kamchatka, while it is noon of the 18th in the Crimea.
    school = await world.school(time_zone="Asia/Kamchatka")
    world.clock.advance(timedelta(hours=4))
    try:
        teacher = await world.teacher(school)
        lesson = await world.lesson(school, teacher, TODAY + timedelta(days=1))
    finally:
        world.clock.advance(-timedelta(hours=4))
    assert lesson.lesson_date == "2026-11-19"


async def test_a_lesson_in_a_closed_period_is_refused(world: World, school: School, clone: Clone) -> None:
    teacher = await world.teacher(school)
    await query(clone.admin_dsn, "UPDATE periods SET is_closed = true WHERE school_id = $1", school.school_id)
    call = world.journal.RecordLesson(record_lesson(school), metadata=teacher.metadata)
    assert await refused(call) == (grpc.StatusCode.FAILED_PRECONDITION, "PERIOD_CLOSED")


async def test_a_work_type_of_the_school_is_kept_and_another_is_not_found(world: World, school: School) -> None:
    teacher = await world.teacher(school)
    work_type = (await world.page(school, teacher)).work_types[0]
    request = record_lesson(school, work_type_id=work_type.work_type_id)
    answer = await world.journal.RecordLesson(request, metadata=teacher.metadata)
    assert answer.lesson.work_type_id == work_type.work_type_id
    call = world.journal.RecordLesson(record_lesson(school, number=4, work_type_id=str(uuid4())), metadata=teacher.metadata)
    assert await refused(call) == (grpc.StatusCode.NOT_FOUND, "WORK_TYPE_NOT_FOUND")


async def test_absences_are_seen_and_who_is_no_longer_named_was_present(world: World, school: School) -> None:
    teacher, student = await world.teacher(school), school.student_ids[0]
    mother = await world.guardian(school, student)
    lesson = await world.lesson(school, teacher)
    first = await world.journal.RecordAttendance(
        record_attendance(school, lesson.lesson_id, {student: ILL, school.student_ids[1]: LATE}), metadata=teacher.metadata
    )
    assert (await world.week(school, student, mother)).lessons[0].absence == ILL
    request = record_attendance(school, lesson.lesson_id, {school.student_ids[1]: ABSENT}, etag=first.lesson.attendance_etag)
    await world.journal.RecordAttendance(request, metadata=teacher.metadata)
    page = await world.page(school, teacher)
    assert [(absence.student_id, absence.code) for absence in page.absences] == [(school.student_ids[1], ABSENT)]
    assert (await world.week(school, student, mother)).lessons[0].absence == 0


async def test_an_illness_is_shown_as_excused_except_to_family_class_teacher_and_deputy(world: World, school: School) -> None:
    teacher, student = await world.teacher(school), school.student_ids[0]
    lesson = await world.lesson(school, teacher)
    answer = await world.journal.RecordAttendance(
        record_attendance(school, lesson.lesson_id, {student: ILL}), metadata=teacher.metadata
    )
    class_teacher, deputy = await world.class_teacher(school, school.class_id), await world.staff(school, "deputy")
    head, admin = await world.staff(school, "head"), await world.staff(school, "admin")
    for person, code in ((class_teacher, ILL), (deputy, ILL), (teacher, EXCUSED), (head, EXCUSED), (admin, EXCUSED)):
        assert [absence.code for absence in (await world.page(school, person)).absences] == [code]
    assert (await world.week(school, student, head)).lessons[0].absence == EXCUSED
    # The teacher, who is shown У, sends it back with the rest: the illness stays.
    request = record_attendance(school, lesson.lesson_id, {student: EXCUSED}, etag=answer.lesson.attendance_etag)
    await world.journal.RecordAttendance(request, metadata=teacher.metadata)
    assert [absence.code for absence in (await world.page(school, deputy)).absences] == [ILL]


async def test_who_is_told_of_an_illness_can_take_it_back_to_excused(world: World, school: School) -> None:
    teacher, student = await world.teacher(school), school.student_ids[0]
    world.relate(school, teacher, options_pb2.RELATION_CLASS, school.class_id, options_pb2.ROLE_CLASS_TEACHER)
    await world.load(school)
    lesson = await world.lesson(school, teacher)
    request = record_attendance(school, lesson.lesson_id, {student: ILL})
    etag = (await world.journal.RecordAttendance(request, metadata=teacher.metadata)).lesson.attendance_etag
    assert [absence.code for absence in (await world.page(school, teacher)).absences] == [ILL]
    request = record_attendance(school, lesson.lesson_id, {student: EXCUSED}, etag=etag)
    await world.journal.RecordAttendance(request, metadata=teacher.metadata)
    assert [absence.code for absence in (await world.page(school, teacher)).absences] == [EXCUSED]


async def test_attendance_with_a_stale_etag_is_refused(world: World, school: School) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    request = record_attendance(school, lesson.lesson_id, {school.student_ids[0]: ABSENT})
    first = await world.journal.RecordAttendance(request, metadata=teacher.metadata)
    assert await world.journal.RecordAttendance(request, metadata=teacher.metadata) == first
    for stale in ("", "A2"):
        call = world.journal.RecordAttendance(
            record_attendance(school, lesson.lesson_id, {}, etag=stale), metadata=teacher.metadata
        )
        assert await refused(call) == (grpc.StatusCode.ABORTED, "ATTENDANCE_CHANGED")


async def test_attendance_recorded_once_is_told_without_codes(world: World, school: School, clone: Clone) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    request = record_attendance(school, lesson.lesson_id, {school.student_ids[0]: ILL})
    await world.journal.RecordAttendance(request, metadata=teacher.metadata)
    [row] = await query(
        clone.admin_dsn,
        "SELECT payload FROM outbox WHERE school_id = $1 AND subject = 'diary.journal.v1.AttendanceRecorded'",
        school.school_id,
    )
    event = events_pb2.AttendanceRecorded.FromString(row["payload"])
    assert list(event.student_ids) == [school.student_ids[0]]


@pytest.mark.parametrize(
    ("students", "status", "reason"),
    [
        ((0, 0), grpc.StatusCode.INVALID_ARGUMENT, "ABSENCE_REPEATED"),
        ((5,), grpc.StatusCode.FAILED_PRECONDITION, "STUDENT_NOT_IN_COURSE"),
    ],
)
async def test_attendance_of_the_wrong_students_is_refused(
    world: World, school: School, students: tuple[int, ...], status: grpc.StatusCode, reason: str
) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    everyone = [*school.student_ids, school.other_student_id]
    request = record_attendance(school, lesson.lesson_id, {})
    for number in students:
        request.absences.add(student_id=everyone[number], code=ABSENT)
    assert await refused(world.journal.RecordAttendance(request, metadata=teacher.metadata)) == (status, reason)


async def test_attendance_of_a_lesson_not_held_or_absent_or_closed_is_refused(
    world: World, school: School, clone: Clone
) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    call = world.journal.RecordAttendance(record_attendance(school, str(uuid4()), {}), metadata=teacher.metadata)
    assert await refused(call) == (grpc.StatusCode.NOT_FOUND, "LESSON_NOT_FOUND")
    await query(clone.admin_dsn, "UPDATE lessons SET state = 1 WHERE lesson_id = $1", lesson.lesson_id)
    call = world.journal.RecordAttendance(record_attendance(school, lesson.lesson_id, {}), metadata=teacher.metadata)
    assert await refused(call) == (grpc.StatusCode.FAILED_PRECONDITION, "LESSON_NOT_HELD")
    await query(clone.admin_dsn, "UPDATE lessons SET state = 2 WHERE lesson_id = $1", lesson.lesson_id)
    await query(clone.admin_dsn, "UPDATE periods SET is_closed = true WHERE school_id = $1", school.school_id)
    call = world.journal.RecordAttendance(record_attendance(school, lesson.lesson_id, {}), metadata=teacher.metadata)
    assert await refused(call) == (grpc.StatusCode.FAILED_PRECONDITION, "PERIOD_CLOSED")
