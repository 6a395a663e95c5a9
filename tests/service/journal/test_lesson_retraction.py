"""RetractLesson: a lesson recorded by mistake is withdrawn, and who did it and why is kept."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest

from diary.journal.v1 import events_pb2, lesson_pb2
from diary.journal.v1 import journal_service_pb2 as pb
from services.journal import commands
from services.journal.lessons.rules.attendance import record_attendance as record_attendance_rule
from services.journal.lessons.rules.lessons import retract_lesson
from services.journal.lessons.store import lessons
from services.journal.lessons.store.writes import Call, Fact
from services.journal.marks.rules.history import SALT_BYTES, BatchHeader, build_batch
from services.journal.marks.rules.marks import Cell, record_marks
from services.journal.marks.store import marks, retraction
from tests.support.backends import Clone
from tests.support.services import refused
from tests.worlds import journal as worlds
from tests.worlds.journal import NOW, TODAY, Person, School, World, cell, query, record_attendance

ABSENT = lesson_pb2.ABSENCE_CODE_ABSENT
FAILED = grpc.StatusCode.FAILED_PRECONDITION


def retract(school: School, lesson: Any, **changes: str) -> pb.RetractLessonRequest:
    """A request of RetractLesson."""
    fields = {"request_id": str(uuid4()), "etag": lesson.etag, "reason": "не тот день", **changes}
    return pb.RetractLessonRequest(school_id=school.school_id, course_id=lesson.course_id, lesson_id=lesson.lesson_id, **fields)


async def plan_slot(clone: Clone, school: School, number: int) -> None:
    """The timetable has the class's algebra on Wednesdays."""
    await query(
        clone.admin_dsn,
        "INSERT INTO timetable_slots VALUES ($1, $2, 3, $3, '2026-11-05', '2026-12-28')",
        school.school_id,
        school.algebra,
        number,
    )


async def test_a_withdrawn_lesson_is_seen_by_nobody_and_who_withdrew_it_is_kept(
    world: World, school: School, clone: Clone
) -> None:
    teacher = await world.teacher(school)
    mother = await world.guardian(school, school.student_ids[0])
    lesson = await world.lesson(school, teacher)
    assert len((await world.week(school, school.student_ids[0], mother)).lessons) == 1
    request = retract(school, lesson)
    answer = await world.journal.RetractLesson(request, metadata=teacher.metadata)
    assert not answer.is_planned
    assert await world.journal.RetractLesson(request, metadata=teacher.metadata) == answer
    assert not (await world.week(school, school.student_ids[0], mother)).lessons
    assert not (await world.page(school, teacher)).lessons
    [kept] = await query(
        clone.admin_dsn,
        "SELECT account_id, create_time, reason, topic FROM lesson_retractions WHERE lesson_id = $1",
        lesson.lesson_id,
    )
    assert tuple(kept) == (teacher.account_id, NOW, "не тот день", "Квадратные уравнения")
    assert await commands.verify_history(clone.admin_dsn, UUID(school.school_id))
    [row] = await query(
        clone.admin_dsn,
        "SELECT payload FROM outbox WHERE school_id = $1 AND subject = 'diary.journal.v1.LessonRetracted'",
        school.school_id,
    )
    event = events_pb2.LessonRetracted.FromString(row["payload"])
    assert (event.lesson_id, event.class_id, event.lesson_date) == (lesson.lesson_id, school.class_id, TODAY.isoformat())


async def test_a_withdrawn_lesson_of_the_timetable_is_planned_again(world: World, school: School, clone: Clone) -> None:
    teacher = await world.teacher(school)
    await plan_slot(clone, school, 3)
    lesson = await world.lesson(school, teacher)
    assert (await world.journal.RetractLesson(retract(school, lesson), metadata=teacher.metadata)).is_planned
    [planned] = (await world.page(school, teacher)).lessons
    assert (planned.lesson_id, planned.state, planned.topic) == (lesson.lesson_id, lesson_pb2.LESSON_STATE_PLANNED, "")


async def test_a_withdrawn_lesson_can_be_recorded_again(world: World, school: School) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    await world.journal.RetractLesson(retract(school, lesson), metadata=teacher.metadata)
    again = await world.lesson(school, teacher)
    assert again.lesson_id == lesson.lesson_id
    assert [one.state for one in (await world.page(school, teacher)).lessons] == [lesson_pb2.LESSON_STATE_HELD]


async def test_a_lesson_with_a_mark_or_an_absence_is_not_withdrawn(world: World, school: School) -> None:
    teacher, student = await world.teacher(school), school.student_ids[0]
    marked = await world.lesson(school, teacher, number=3)
    one = cell(marked.lesson_id, student, 4)
    await world.journal.RecordMarks(worlds.record_marks(school, one), metadata=teacher.metadata)
    missed = await world.lesson(school, teacher, number=4)
    absences = record_attendance(school, missed.lesson_id, {student: ABSENT})
    await world.journal.RecordAttendance(absences, metadata=teacher.metadata)
    for lesson in (marked, missed):
        call = world.journal.RetractLesson(retract(school, lesson), metadata=teacher.metadata)
        assert await refused(call) == (FAILED, "LESSON_NOT_EMPTY")
    one = cell(marked.lesson_id, student, None, mark_id=one.mark_id, expected_revision=1)
    await world.journal.RecordMarks(worlds.record_marks(school, one), metadata=teacher.metadata)
    await world.journal.RetractLesson(retract(school, marked), metadata=teacher.metadata)


async def test_only_the_lesson_that_was_seen_is_withdrawn_by_its_teacher_in_an_open_period(
    world: World, school: School, clone: Clone
) -> None:
    teacher, other = await world.teacher(school), await world.teacher(school, school.other_algebra)
    lesson = await world.lesson(school, teacher)
    call = world.journal.RetractLesson(retract(school, lesson), metadata=other.metadata)
    assert await refused(call) == (grpc.StatusCode.NOT_FOUND, "COURSE_NOT_FOUND")
    call = world.journal.RetractLesson(retract(school, lesson, etag="L7"), metadata=teacher.metadata)
    assert await refused(call) == (grpc.StatusCode.ABORTED, "LESSON_CHANGED")
    absent = retract(school, lesson)
    absent.lesson_id = str(uuid4())
    assert await refused(world.journal.RetractLesson(absent, metadata=teacher.metadata)) == (
        grpc.StatusCode.NOT_FOUND,
        "LESSON_NOT_FOUND",
    )
    await query(clone.admin_dsn, "UPDATE periods SET is_closed = true WHERE school_id = $1", school.school_id)
    call = world.journal.RetractLesson(retract(school, lesson), metadata=teacher.metadata)
    assert await refused(call) == (FAILED, "PERIOD_CLOSED")
    await query(clone.admin_dsn, "UPDATE periods SET is_closed = false WHERE school_id = $1", school.school_id)
    await world.journal.RetractLesson(retract(school, lesson), metadata=teacher.metadata)
    call = world.journal.RetractLesson(retract(school, lesson, etag="L2"), metadata=teacher.metadata)
    assert await refused(call) == (FAILED, "LESSON_NOT_HELD")


@pytest.mark.parametrize("first", ["marks", "retraction"])
async def test_of_a_mark_and_a_withdrawal_that_read_the_same_the_second_saves_nothing(
    world: World, school: School, first: str
) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    school_id, course_id, lesson_id = UUID(school.school_id), UUID(school.algebra), UUID(lesson.lesson_id)
    cells = [Cell(uuid4(), lesson_id, UUID(school.student_ids[0]), 5, 0)]
    async with world.database.school_asking(school_id, marks.ask_course(_call(school, teacher), course_id, cells)) as (_, rows):
        course = marks.read_course(rows, course_id)
    question = retraction.ask_retraction(_call(school, teacher), course_id, lesson_id)
    async with world.database.school_asking(school_id, question) as (connection, rows):
        found = retraction.read_retraction(rows)
        assert course is not None
        assert found is not None
        header = BatchHeader(school_id, course_id, found.recorded.batch_count + 1, teacher.account_id, NOW)
        _, revisions = record_marks(course.course, cells, teacher.account_id, TODAY)
        after = retract_lesson(found.recorded, lesson.etag)

        async def save_marks() -> bool:
            batch = build_batch(header, revisions, bytes(SALT_BYTES))
            return await marks.insert_batch(connection, batch, _fact(school, teacher))

        async def save_retraction() -> bool:
            batch = build_batch(header, (), b"")
            return await retraction.save_retraction(connection, found.recorded, after, batch, "причина", _fact(school, teacher))

        saves = [save_marks, save_retraction] if first == "marks" else [save_retraction, save_marks]
        assert [await save() for save in saves] == [True, False]


async def test_attendance_read_before_a_withdrawal_is_not_saved_after_it(world: World, school: School) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    school_id, course_id, lesson_id = UUID(school.school_id), UUID(school.algebra), UUID(lesson.lesson_id)
    question = lessons.ask_attendance(_call(school, teacher), course_id, lesson_id)
    async with world.database.school_asking(school_id, question) as (connection, rows):
        found = lessons.read_attendance(rows)
        assert found is not None
        after, changes = record_attendance_rule(found.attendance, [], "")
        await world.journal.RetractLesson(retract(school, lesson), metadata=teacher.metadata)
        assert not await lessons.save_attendance(connection, after, changes, _fact(school, teacher))


def _call(school: School, teacher: Person) -> Call:
    return Call(UUID(school.school_id), teacher.account_id, teacher.session_id, uuid4(), "Test", b"digest", NOW)


def _fact(school: School, teacher: Person) -> Fact:
    return Fact(_call(school, teacher), b"answer", "diary.journal.v1.LessonRecorded", b"")
