"""RecordMarks, and what a family sees of it at once (Clause R4)."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import grpc

from diary.journal.v1 import journal_service_pb2
from tests.service.journal.world import TODAY, School, World, cell, record_marks
from tests.support.backends import Clone
from tests.support.services import refused

SAVED = journal_service_pb2.CELL_STATE_SAVED
CONFLICT = journal_service_pb2.CELL_STATE_CONFLICT
REFUSED = journal_service_pb2.CELL_STATE_REFUSED


async def test_a_mark_is_seen_by_the_family_at_once(world: World, school: School) -> None:
    teacher, student = await world.teacher(school), school.student_ids[0]
    mother = await world.guardian(school, student)
    lesson = await world.lesson(school, teacher)
    answer = await world.journal.RecordMarks(
        record_marks(school, cell(lesson.lesson_id, student, 5), cell(lesson.lesson_id, school.student_ids[1], 2)),
        metadata=teacher.metadata,
    )
    assert [outcome.state for outcome in answer.outcomes] == [SAVED, SAVED]
    week = await world.week(school, student, mother)
    [shown] = week.lessons
    assert shown.card.topic == "Квадратные уравнения"
    assert [(mark.value, mark.revision) for mark in shown.marks] == [(5, 1)]
