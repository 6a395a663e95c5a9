"""What a write was decided on is asked again by the statement that saves: two transactions ordered by hand, the other one
commits between reading and saving.
"""

from typing import Any
from uuid import uuid4

import grpc
import pytest

from diary.journal.v1 import journal_service_pb2, lesson_pb2
from services.journal.lessons.store import lessons
from services.journal.marks.store import marks
from tests.support.services import refused
from tests.worlds.journal import TODAY, School, World, cell, record_attendance, record_lesson, record_marks

ABSENT = lesson_pb2.ABSENCE_CODE_ABSENT
CLOSE = "UPDATE periods SET is_closed = true WHERE school_id = $1"
LEAVE = "UPDATE course_members SET to_date = '2020-01-01', from_date = '2019-01-01' WHERE school_id = $1"
TAKE_BACK = "UPDATE lessons SET state = 1, attendance_revision = 0 WHERE school_id = $1"


@pytest.mark.parametrize(
    ("statement", "reason"), [(CLOSE, "PERIOD_CLOSED"), (LEAVE, "STUDENT_NOT_IN_COURSE"), (TAKE_BACK, "LESSON_NOT_HELD")]
)
async def test_a_mark_is_refused_when_what_it_stands_on_falls_before_it_is_saved(
    world: World, school: School, between: Any, statement: str, reason: str
) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    said = between(marks, "insert_batch", statement)
    request = record_marks(school, cell(lesson.lesson_id, school.student_ids[0]))
    answer = await world.journal.RecordMarks(request, metadata=teacher.metadata)
    assert [outcome.reason for outcome in answer.outcomes] == [reason]
    assert said == [False]


@pytest.mark.parametrize("falls", ["a lesson", "a student"])
async def test_one_that_falls_of_many_holds_up_the_save_and_is_refused_alone(
    world: World, school: School, between: Any, falls: str
) -> None:
    teacher = await world.teacher(school)
    first, second = [(await world.lesson(school, teacher, number=number)).lesson_id for number in (3, 4)]
    staying, leaving = school.student_ids[:2]
    statements = {
        "a lesson": (f"{TAKE_BACK} AND lesson_id = '{second}'", {(second, staying), (second, leaving)}),
        "a student": (f"{LEAVE} AND student_id = '{leaving}'", {(first, leaving), (second, leaving)}),
    }
    statement, fallen = statements[falls]
    said = between(marks, "insert_batch", statement)
    places = [(lesson_id, student_id) for lesson_id in (first, second) for student_id in (staying, leaving)]
    answer = await world.journal.RecordMarks(
        record_marks(school, *[cell(*place) for place in places]), metadata=teacher.metadata
    )
    assert {place for place, outcome in zip(places, answer.outcomes, strict=True) if outcome.reason} == fallen
    assert said == [False, True]


async def test_a_correction_is_refused_when_the_period_closes_before_it_is_saved(
    world: World, school: School, between: Any
) -> None:
    teacher, mark_id = await world.teacher(school), str(uuid4())
    lesson = await world.lesson(school, teacher)
    written = record_marks(school, cell(lesson.lesson_id, school.student_ids[0], mark_id=mark_id))
    await world.journal.RecordMarks(written, metadata=teacher.metadata)
    said = between(marks, "insert_batch", CLOSE)
    assert await refused(world.journal.CorrectMark(_correction(school, mark_id), metadata=teacher.metadata)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "PERIOD_CLOSED",
    )
    assert said == [False]


async def test_a_mark_of_a_student_who_leaves_meanwhile_can_still_be_corrected(
    world: World, school: School, between: Any
) -> None:
    teacher, mark_id = await world.teacher(school), str(uuid4())
    lesson = await world.lesson(school, teacher)
    written = record_marks(school, cell(lesson.lesson_id, school.student_ids[0], mark_id=mark_id))
    await world.journal.RecordMarks(written, metadata=teacher.metadata)
    said = between(marks, "insert_batch", LEAVE)
    await world.journal.CorrectMark(_correction(school, mark_id), metadata=teacher.metadata)
    assert said == [True]


def _correction(school: School, mark_id: str) -> journal_service_pb2.CorrectMarkRequest:
    return journal_service_pb2.CorrectMarkRequest(
        school_id=school.school_id,
        mark_id=mark_id,
        value=3,
        expected_revision=1,
        reason="ошибка",
        request_id=str(uuid4()),
    )


async def test_a_lesson_is_refused_when_its_period_closes_before_it_is_saved(
    world: World, school: School, between: Any
) -> None:
    teacher = await world.teacher(school)
    said = between(lessons, "save_lesson", CLOSE)
    request = record_lesson(school, TODAY, 3)
    assert await refused(world.journal.RecordLesson(request, metadata=teacher.metadata)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "PERIOD_CLOSED",
    )
    assert said == [False]


@pytest.mark.parametrize(
    ("statement", "reason"), [(CLOSE, "PERIOD_CLOSED"), (LEAVE, "STUDENT_NOT_IN_COURSE"), (TAKE_BACK, "LESSON_NOT_HELD")]
)
async def test_absences_are_refused_when_what_they_stand_on_falls_before_they_are_saved(
    world: World, school: School, between: Any, statement: str, reason: str
) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    said = between(lessons, "save_attendance", statement)
    assert await refused(
        world.journal.RecordAttendance(
            record_attendance(school, lesson.lesson_id, {school.student_ids[0]: ABSENT}), metadata=teacher.metadata
        )
    ) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        reason,
    )
    assert said == [False]


async def test_a_lesson_planned_meanwhile_at_its_place_is_the_one_that_is_recorded(
    world: World, school: School, between: Any
) -> None:
    teacher, planned = await world.teacher(school), str(uuid4())
    said = between(
        lessons,
        "save_lesson",
        "INSERT INTO lessons (school_id, lesson_id, course_id, lesson_date, lesson_number, state, revision) "
        f"SELECT $1::uuid, '{planned}', '{school.algebra}', '{TODAY}', 3, 1, 0",
    )
    answer = await world.journal.RecordLesson(record_lesson(school), metadata=teacher.metadata)
    assert (said, answer.lesson.lesson_id) == ([False, True], planned)
