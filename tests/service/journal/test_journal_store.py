"""Two hands that read the same and both save: the database lets the second know, and keeps nothing of it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

from services.journal.lessons.rules.attendance import Absence, AbsenceCode, record_attendance
from services.journal.lessons.rules.lessons import LessonRecord, record_lesson
from services.journal.lessons.store import lessons
from services.journal.lessons.store.writes import Call, Fact
from services.journal.marks.rules.history import SALT_BYTES, BatchHeader, build_batch
from services.journal.marks.rules.marks import Cell, record_marks
from services.journal.marks.store import marks
from tests.support.backends import Clone
from tests.worlds.journal import NOW, TODAY, Person, School, World, query


def _call(school: School, teacher: Person) -> Call:
    return Call(UUID(school.school_id), teacher.account_id, teacher.session_id, uuid4(), "Test", b"digest", NOW)


def _fact(call: Call) -> Fact:
    return Fact(call, b"answer", "diary.journal.v1.LessonRecorded", b"")


async def _count_events(clone: Clone, school: School) -> int:
    rows = await query(clone.admin_dsn, "SELECT count(*) AS n FROM outbox WHERE school_id = $1", school.school_id)
    return int(rows[0]["n"])


async def test_the_second_batch_of_one_number_saves_nothing(world: World, school: School, clone: Clone) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    school_id, course_id = UUID(school.school_id), UUID(school.algebra)
    before = await _count_events(clone, school)
    saved = []
    call = _call(school, teacher)
    cells = [Cell(uuid4(), UUID(lesson.lesson_id), UUID(school.student_ids[0]), 5, 0)]
    async with world.database.school_asking(school_id, marks.ask_course(call, course_id, cells)) as (connection, rows):
        found = marks.read_course(rows, course_id)
        assert found is not None
        for _ in range(2):
            mine = _call(school, teacher)
            cells = [replace(cells[0], mark_id=uuid4())]
            _, revisions = record_marks(found.course, cells, teacher.account_id, TODAY)
            header = BatchHeader(school_id, course_id, found.course.batch_count + 1, teacher.account_id, NOW)
            saved.append(await marks.insert_batch(connection, build_batch(header, revisions, bytes(SALT_BYTES)), _fact(mine)))
    assert saved == [True, False]
    [row] = await query(
        clone.admin_dsn,
        "SELECT (SELECT count(*) FROM mark_revisions WHERE course_id = $1) AS marks, seq FROM course_chains "
        "WHERE course_id = $1",
        course_id,
    )
    assert (row["marks"], row["seq"], await _count_events(clone, school)) == (1, 1, before + 1)


async def test_the_second_record_of_one_revision_saves_nothing(world: World, school: School, clone: Clone) -> None:
    teacher = await world.teacher(school)
    await world.lesson(school, teacher, TODAY, 3)
    school_id, course_id = UUID(school.school_id), UUID(school.algebra)
    saved = []
    record = LessonRecord(TODAY, 3, "Первая", "", None, "L1")
    async with world.database.school_asking(school_id, lessons.ask_place(_call(school, teacher), course_id, record)) as (
        connection,
        rows,
    ):
        found = lessons.read_place(rows)
        assert found is not None
        for topic in ("Первая", "Вторая"):
            lesson = record_lesson(found.place, replace(record, topic=topic), course_id, TODAY)
            saved.append(await lessons.save_lesson(connection, lesson, _fact(_call(school, teacher))))
    assert saved == [True, False]
    rows = await query(clone.admin_dsn, "SELECT topic, revision FROM lessons WHERE course_id = $1", course_id)
    assert [tuple(row) for row in rows] == [("Первая", 2)]


async def test_the_second_new_lesson_at_one_place_saves_nothing(world: World, school: School, clone: Clone) -> None:
    teacher = await world.teacher(school)
    school_id, course_id = UUID(school.school_id), UUID(school.algebra)
    saved = []
    record = LessonRecord(TODAY, 3, "Тема", "", None, "")
    for question in [lessons.ask_place(_call(school, teacher), course_id, record) for _ in range(2)]:
        async with world.database.school_asking(school_id, question) as (connection, rows):
            found = lessons.read_place(rows)
            assert found is not None
            # As both saw it: no lesson there yet.
            lesson = record_lesson(replace(found.place, lesson=None), record, course_id, TODAY)
            saved.append(await lessons.save_lesson(connection, lesson, _fact(_call(school, teacher))))
    assert saved == [True, False]


async def test_the_second_attendance_of_one_revision_saves_nothing(world: World, school: School, clone: Clone) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    school_id, course_id, lesson_id = UUID(school.school_id), UUID(school.algebra), UUID(lesson.lesson_id)
    saved = []
    question = lessons.ask_attendance(_call(school, teacher), course_id, lesson_id)
    async with world.database.school_asking(school_id, question) as (connection, rows):
        found = lessons.read_attendance(rows)
        assert found is not None
        for student in school.student_ids[:2]:
            after, changes = record_attendance(found.attendance, [Absence(UUID(student), AbsenceCode.ABSENT)], "")
            saved.append(await lessons.save_attendance(connection, after, changes, _fact(_call(school, teacher))))
    assert saved == [True, False]
    rows = await query(clone.admin_dsn, "SELECT student_id::text AS id FROM attendance WHERE lesson_id = $1", lesson_id)
    assert [row["id"] for row in rows] == [school.student_ids[0]]


async def test_the_same_request_is_kept_once(world: World, school: School, clone: Clone) -> None:
    teacher = await world.teacher(school)
    course_id = UUID(school.algebra)
    call, record = _call(school, teacher), LessonRecord(TODAY, 1, "Тема", "", None, "")
    saved = []
    async with world.database.school_asking(UUID(school.school_id), lessons.ask_place(call, course_id, record)) as (
        connection,
        rows,
    ):
        found = lessons.read_place(rows)
        assert found is not None
        for number in (1, 2):
            lesson = record_lesson(found.place, replace(record, lesson_number=number), course_id, TODAY)
            saved.append(await lessons.save_lesson(connection, replace(lesson, lesson_id=uuid4()), _fact(call)))
    assert saved == [True, False]
    assert len(await query(clone.admin_dsn, "SELECT 1 FROM lessons WHERE course_id = $1", course_id)) == 1
