"""GetClassWeek: what printouts are made of (Clause R7), on real Postgres."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc

from diary.journal.v1 import diary_service_pb2, events_pb2, journal_service_pb2, lesson_pb2
from services.journal.diary.store.class_week import FIND_FRAME, LIST_RECORDS
from tests.support.backends import Clone
from tests.support.services import instant, refused, sign_service
from tests.worlds.journal import TODAY, WEEK, School, World, cell, record_attendance, record_marks

MONDAY = TODAY - timedelta(days=2)


async def _class_week(world: World, school: School, keys_dir: Path, class_id: str = "", week: str = WEEK) -> Any:
    request = diary_service_pb2.GetClassWeekRequest(school_id=school.school_id, class_id=class_id or school.class_id, week=week)
    return await world.diary.GetClassWeek(request, metadata=sign_service(keys_dir, "documents", world.clock))


async def test_a_class_week_lists_each_student_with_the_own_marks(world: World, school: School, keys_dir: Path) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    first, second, *_ = school.student_ids
    cells = [cell(lesson.lesson_id, first, 5), cell(lesson.lesson_id, second, 3)]
    await world.journal.RecordMarks(record_marks(school, *cells), metadata=teacher.metadata)
    answer = await _class_week(world, school, keys_dir)
    assert [student.student_id for student in answer.students] == school.student_ids
    assert (answer.class_name, answer.school_name, answer.monday_date) == ("8-А", "Школа № 1", MONDAY.isoformat())
    assert (answer.period_name, answer.period_week, answer.period_week_count) == ("2 четверть", 3, 9)
    algebra = [next(s for s in student.subjects if s.is_marked) for student in answer.students]
    assert [[mark.value for mark in subject.marks] for subject in algebra] == [[5], [3], [], [], []]
    assert [subject.mean_hundredths for subject in algebra[:2]] == [500, 300]
    assert not algebra[2].HasField("mean_hundredths")
    assert algebra[0].marks[0].topic == "Квадратные уравнения"
    assert {student.lesson_count for student in answer.students} == {1}


async def test_a_correction_and_its_reason_stand_in_that_students_week_alone(
    world: World, school: School, keys_dir: Path
) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher, MONDAY)
    saved = cell(lesson.lesson_id, school.student_ids[0], 3)
    await world.journal.RecordMarks(record_marks(school, saved), metadata=teacher.metadata)
    await world.journal.CorrectMark(
        journal_service_pb2.CorrectMarkRequest(
            school_id=school.school_id,
            mark_id=saved.mark_id,
            value=4,
            reason="пересдача",
            expected_revision=1,
            request_id=str(uuid4()),
        ),
        metadata=teacher.metadata,
    )
    answer = await _class_week(world, school, keys_dir)
    [subject] = [s for s in answer.students[0].subjects if s.is_marked]
    [correction] = subject.corrections
    assert (correction.old_value, correction.new_value, correction.reason) == (3, 4, "пересдача")
    assert [mark.value for mark in subject.marks] == [4]
    others = answer.students[1:]
    assert not any(s.corrections for student in others for s in student.subjects)


async def test_absences_are_counted_by_kind_and_subject(world: World, school: School, keys_dir: Path) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    codes = {
        school.student_ids[0]: lesson_pb2.ABSENCE_CODE_ILL,
        school.student_ids[1]: lesson_pb2.ABSENCE_CODE_LATE,
    }
    await world.journal.RecordAttendance(record_attendance(school, lesson.lesson_id, codes), metadata=teacher.metadata)
    first, second, third, *_ = (await _class_week(world, school, keys_dir)).students
    assert (first.ill_count, first.unexcused_count, first.late_count) == (1, 0, 0)
    assert [s.missed_count for s in first.subjects if s.is_marked] == [1]
    assert (second.ill_count, second.late_count) == (0, 1)
    assert (third.ill_count, third.late_count) == (0, 0)


async def test_another_school_and_a_class_that_is_not_there_are_not_found(world: World, school: School, keys_dir: Path) -> None:
    other = await world.school()
    for class_id in (other.class_id, str(uuid4())):
        refusal = await refused(_class_week(world, school, keys_dir, class_id))
        assert refusal == (grpc.StatusCode.NOT_FOUND, "CLASS_NOT_FOUND")
    assert await refused(_class_week(world, school, keys_dir, week="2026-W60")) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "WEEK_INVALID",
    )


async def test_a_holiday_week_has_no_period_and_no_lessons(world: World, school: School, keys_dir: Path) -> None:
    answer = await _class_week(world, school, keys_dir, week="2027-W01")
    assert (answer.period_name, answer.period_week) == ("", 0)
    assert {student.lesson_count for student in answer.students} == {0}


async def test_a_recorded_lesson_tells_its_class_and_day(clone: Clone, world: World, school: School) -> None:
    teacher = await world.teacher(school)
    await world.lesson(school, teacher)
    connection = await asyncpg.connect(clone.admin_dsn)
    payload = await connection.fetchval(
        "SELECT payload FROM journal.outbox WHERE school_id = $1 AND subject LIKE '%LessonRecorded'", UUID(school.school_id)
    )
    await connection.close()
    event = events_pb2.LessonRecorded.FromString(payload)
    assert (event.class_id, event.lesson_date) == (school.class_id, TODAY.isoformat())


async def test_no_table_that_grows_is_read_whole(world: World, school: School) -> None:
    """The planner is told not to love small tables: what remains a scan of all rows has no index that fits."""
    week = MONDAY, MONDAY + timedelta(days=6)
    students = [UUID(one) for one in school.student_ids]
    noon = instant("2026-11-18T12:00:00+03:00")
    async with world.database.school(UUID(school.school_id)) as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")
        plans = [
            await connection.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *arguments)
            for statement, arguments in (
                (FIND_FRAME, (UUID(school.school_id), UUID(school.class_id), *week, noon)),
                (LIST_RECORDS, (UUID(school.school_id), students, *week, MONDAY, noon, noon)),
            )
        ]
    found = [node for plan in plans for node in _nodes(json.loads(plan)[0]["Plan"])]
    assert [node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"] == []
    indexes = {node.get("Index Name") for node in found}
    assert {"mark_revisions_by_student", "attendance_by_student", "lessons_one_a_number"} <= indexes


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for part in plan.get("Plans", ()) for node in _nodes(part))]
