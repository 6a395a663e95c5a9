"""A mark's value is a kind and a number: what the table takes, and what those are told who know five-point marks alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from diary.journal.v1 import diary_service_pb2, journal_service_pb2, mark_pb2
from services.journal import commands
from services.journal.marks.rules.history import BatchHeader, build_batch, link
from services.journal.marks.rules.marks import NUMBERS, MarkKind, Revision, five_point
from services.journal.roster.rules import EMPTY_HEAD
from tests.support.backends import Clone
from tests.support.services import refused, sign_service
from tests.worlds.journal import TODAY, WEEK, Person, School, World, cell, query, record_marks


async def test_the_table_takes_the_numbers_of_each_kind_and_no_others(clone: Clone) -> None:
    [[definition]] = await query(
        clone.admin_dsn, "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'mark_revisions_number_of_kind'"
    )
    rows = await query(
        clone.admin_dsn,
        f"""
        SELECT kind, value FROM generate_series(-1, 9) AS kind, generate_series(-10, 200) AS value
        WHERE {definition.removeprefix("CHECK")}
        """,
    )
    allowed = {(kind, number) for kind, numbers in NUMBERS.items() for number in range(-10, 201) if number in numbers}
    assert {tuple(row) for row in rows} == allowed
    assert set(NUMBERS) == set(MarkKind)


async def given(world: World, school: School) -> tuple[Person, Any, mark_pb2.MarkCell]:
    """A 5 of the first student, in a lesson of today."""
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    first = cell(lesson.lesson_id, school.student_ids[0], 5)
    await world.journal.RecordMarks(record_marks(school, first), metadata=teacher.metadata)
    return teacher, lesson, first


async def becomes(clone: Clone, mark: mark_pb2.MarkCell, kind: MarkKind, number: int) -> None:
    """The mark's next revision, as a later release may write it while this one still reads."""
    await query(
        clone.admin_dsn,
        """
        INSERT INTO mark_revisions (school_id, mark_id, revision, lesson_id, course_id, student_id, lesson_date, batch_number,
                                    salt, kind, value)
        SELECT school_id, mark_id, 2, lesson_id, course_id, student_id, lesson_date, batch_number, salt, $2, $3
        FROM mark_revisions WHERE mark_id = $1
        """,
        UUID(mark.mark_id),
        kind,
        number,
    )


async def test_another_kind_is_told_nowhere_by_its_number(world: World, school: School, clone: Clone, keys_dir: Path) -> None:
    teacher, lesson, mark = await given(world, school)
    mother = await world.guardian(school, school.student_ids[0])
    documents, notify = (sign_service(keys_dir, name, world.clock) for name in ("documents", "notify"))
    sheet = diary_service_pb2.GetClassWeekRequest(school_id=school.school_id, class_id=school.class_id, week=WEEK)
    letter = diary_service_pb2.BatchGetMarksRequest(school_id=school.school_id, mark_ids=[mark.mark_id])

    async def told() -> list[list[int]]:
        week = await world.week(school, school.student_ids[0], mother)
        student = (await world.diary.GetClassWeek(sheet, metadata=documents)).students[0]
        return [
            [one.value for one in (await world.page(school, teacher)).marks],
            [one.value for each in week.lessons for one in each.marks],
            [one.value for subject in student.subjects for one in subject.marks],
            [one.mean_hundredths for one in student.subjects if one.HasField("mean_hundredths")],
            [one.value for one in (await world.diary.BatchGetMarks(letter, metadata=notify)).marks],
        ]

    assert await told() == [[5], [5], [5], [500], [5]]
    await becomes(clone, mark, MarkKind.PASS, 1)
    assert await told() == [[], [], [], [], []]
    # It stands all the same: it is in the way of another hand and of a withdrawal, and can be changed into a five-point mark.
    mark.value = 4
    [outcome] = (await world.journal.RecordMarks(record_marks(school, mark), metadata=teacher.metadata)).outcomes
    assert (outcome.state, outcome.revision, outcome.HasField("value")) == (mark_pb2.CELL_STATE_CONFLICT, 2, False)
    retraction = journal_service_pb2.RetractLessonRequest(
        school_id=school.school_id,
        course_id=school.algebra,
        lesson_id=lesson.lesson_id,
        request_id=str(uuid4()),
        etag=lesson.etag,
        reason="ошибка",
    )
    assert (await refused(world.journal.RetractLesson(retraction, metadata=teacher.metadata)))[1] == "LESSON_NOT_EMPTY"
    mark.expected_revision = 2
    await world.journal.RecordMarks(record_marks(school, mark), metadata=teacher.metadata)
    assert await told() == [[4], [4], [4], [400], [4]]
    [shown] = (await world.diary.BatchGetMarks(letter, metadata=notify)).marks
    assert shown.previous_value == 0


async def test_a_pass_is_not_the_one_of_five_points(world: World, school: School, clone: Clone) -> None:
    """зачёт has the number 1: to give a 1 for it is a change."""
    teacher, _, mark = await given(world, school)
    await query(clone.admin_dsn, "UPDATE schools SET mark_min = 1 WHERE school_id = $1", UUID(school.school_id))
    await becomes(clone, mark, MarkKind.PASS, 1)
    mark.value, mark.expected_revision = 1, 2
    [outcome] = (await world.journal.RecordMarks(record_marks(school, mark), metadata=teacher.metadata)).outcomes
    assert (outcome.state, outcome.revision) == (mark_pb2.CELL_STATE_SAVED, 3)
    rows = await query(
        clone.admin_dsn, "SELECT kind, value FROM mark_revisions WHERE mark_id = $1 ORDER BY revision", UUID(mark.mark_id)
    )
    assert [tuple(row) for row in rows] == [(1, 5), (2, 1), (1, 1)]


async def test_what_the_release_before_writes_verifies_and_goes_on(
    world: World, school: School, clone: Clone, capsys: pytest.CaptureFixture[str]
) -> None:
    """In format 2, without a kind and with null where there is no reason."""
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    ids = [UUID(one) for one in (school.school_id, school.algebra, lesson.lesson_id, school.student_ids[0])]
    school_id, course_id, lesson_id, student_id = ids
    header = BatchHeader(school_id, course_id, 1, teacher.account_id, datetime(2026, 11, 18, 9, tzinfo=UTC), 2)
    batch = build_batch(header, [Revision(uuid4(), 1, lesson_id, student_id, TODAY, five_point(4))], bytes(range(16)))
    [row], head = batch.rows, link(EMPTY_HEAD, batch.digest)
    connection = await asyncpg.connect(clone.admin_dsn, server_settings={"search_path": "journal"})
    await connection.execute(
        """
        INSERT INTO mark_batches (school_id, course_id, batch_number, account_id, create_time, row_digests, head, format)
        VALUES ($1, $2, 1, $3, $4, $5, $6, 2)
        """,
        school_id,
        course_id,
        header.account_id,
        header.create_time,
        batch.row_digests,
        head,
    )
    await connection.execute(
        """
        INSERT INTO mark_revisions (school_id, course_id, batch_number, mark_id, revision, lesson_id, student_id, lesson_date,
                                    value, salt, reason)
        VALUES ($1, $2, 1, $3, 1, $4, $5, $6, 4, $7, NULL)
        """,
        school_id,
        course_id,
        row.revision.mark_id,
        lesson_id,
        student_id,
        TODAY,
        row.salt,
    )
    await connection.execute("UPDATE course_chains SET head = $2, seq = 1 WHERE course_id = $1", course_id, head)
    await connection.close()
    again = cell(str(lesson_id), str(student_id), 5, mark_id=str(row.revision.mark_id), expected_revision=1)
    await world.journal.RecordMarks(record_marks(school, again), metadata=teacher.metadata)
    formats = await query(
        clone.admin_dsn, "SELECT format FROM mark_batches WHERE course_id = $1 ORDER BY batch_number", course_id
    )
    assert [one["format"] for one in formats] == [2, 3]
    assert await commands.verify_history(clone.admin_dsn, school_id)
    # Of format 2 a digest knows no kind: it is a five-point one, or the row was changed.
    await query(clone.admin_dsn, "UPDATE mark_revisions SET kind = 6 WHERE course_id = $1 AND batch_number = 1", course_id)
    capsys.readouterr()
    assert not await commands.verify_history(clone.admin_dsn, school_id)
    assert f"mark {row.revision.mark_id}, revision 1: the row was changed" in capsys.readouterr().out
