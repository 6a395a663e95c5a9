"""GetDiaryWeek and GetJournalPage: what they show, and by which indexes they read."""

from datetime import timedelta
from uuid import UUID, uuid4

import grpc
import pytest

from diary.journal.v1 import journal_service_pb2
from tests.support.backends import Clone
from tests.support.services import refused
from tests.worlds.journal import TODAY, WEEK, School, World, cell, query, record_lesson, record_marks


async def test_a_week_without_a_name_is_this_week_of_the_school(world: World, school: School) -> None:
    mother = await world.guardian(school, school.student_ids[0])
    week = await world.week(school, school.student_ids[0], mother, "")
    assert (week.week, week.monday_date) == (WEEK, "2026-11-16")


@pytest.mark.parametrize(
    ("week", "reason"), [("2026-W54", "WEEK_INVALID"), ("2026-W00", "WEEK_INVALID"), ("2026", "REQUEST_INVALID")]
)
async def test_a_week_that_is_none_is_refused(world: World, school: School, week: str, reason: str) -> None:
    mother = await world.guardian(school, school.student_ids[0])
    call = world.week(school, school.student_ids[0], mother, week)
    assert await refused(call) == (grpc.StatusCode.INVALID_ARGUMENT, reason)


async def test_lessons_stand_by_day_and_number_and_only_of_the_week(world: World, school: School) -> None:
    teacher = await world.teacher(school, school.algebra, school.unmarked)
    mother = await world.guardian(school, school.student_ids[0])
    monday = TODAY - timedelta(days=2)
    for day, number, course in (
        (TODAY, 2, school.algebra),
        (monday, 7, school.unmarked),
        (monday, 1, school.algebra),
        (monday - timedelta(days=1), 1, school.algebra),
        (TODAY, 1, school.unmarked),
    ):
        await world.lesson(school, teacher, day, number, course)
    week = await world.week(school, school.student_ids[0], mother)
    assert [(lesson.card.lesson_date, lesson.card.lesson_number) for lesson in week.lessons] == [
        ("2026-11-16", 1),
        ("2026-11-16", 7),
        ("2026-11-18", 1),
        ("2026-11-18", 2),
    ]


async def test_a_changed_lesson_is_seen_at_once_by_all_who_saw_it_before(world: World, school: School) -> None:
    teacher = await world.teacher(school)
    families = [(student, await world.guardian(school, student)) for student in school.student_ids[:2]]
    work_type = (await world.page(school, teacher)).work_types[0]
    lesson = await world.lesson(school, teacher)
    for student, guardian in families:
        assert (await world.week(school, student, guardian)).lessons[0].card.homework == "№ 251, 253"
    request = record_lesson(school, etag=lesson.etag, homework="п. 21", work_type_id=work_type.work_type_id)
    await world.journal.RecordLesson(request, metadata=teacher.metadata)
    for student, guardian in families:
        card = (await world.week(school, student, guardian)).lessons[0].card
        assert (card.homework, card.work_type_name) == ("п. 21", "контрольная работа")


async def test_a_renamed_work_type_is_seen_at_once_by_who_saw_it_before(world: World, school: School, clone: Clone) -> None:
    """Encoded cards are kept by the version of the school's work types, which whoever changes one raises."""
    teacher, student = await world.teacher(school), school.student_ids[0]
    guardian = await world.guardian(school, student)
    work_type = (await world.page(school, teacher)).work_types[0]
    request = record_lesson(school, work_type_id=work_type.work_type_id)
    await world.journal.RecordLesson(request, metadata=teacher.metadata)
    assert (await world.week(school, student, guardian)).lessons[0].card.work_type_name == "контрольная работа"
    await query(
        clone.admin_dsn,
        "UPDATE work_types SET name = 'диктант на оценку' WHERE school_id = $1 AND work_type_id = $2",
        UUID(school.school_id),
        UUID(work_type.work_type_id),
    )
    assert (await world.week(school, student, guardian)).lessons[0].card.work_type_name == "диктант на оценку"


async def test_families_see_the_marks_of_their_own_child_only(world: World, school: School) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    cells = [cell(lesson.lesson_id, student, value) for student, value in zip(school.student_ids[:3], (3, 4, 5), strict=True)]
    await world.journal.RecordMarks(record_marks(school, *cells), metadata=teacher.metadata)
    for student, value in zip(school.student_ids[:3], (3, 4, 5), strict=True):
        week = await world.week(school, student, await world.guardian(school, student))
        assert [mark.value for mark in week.lessons[0].marks] == [value]


async def test_a_page_shows_students_lessons_and_marks_of_its_period(world: World, school: School) -> None:
    teacher = await world.teacher(school)
    first, second = await world.lesson(school, teacher, TODAY, 4), await world.lesson(school, teacher, TODAY, 2)
    await world.journal.RecordMarks(
        record_marks(school, cell(first.lesson_id, school.student_ids[2], 4)), metadata=teacher.metadata
    )
    page = await world.page(school, teacher)
    assert [student.display_name for student in page.students] == [f"Ученик {number}" for number in range(5)]
    assert [lesson.lesson_id for lesson in page.lessons] == [second.lesson_id, first.lesson_id]
    assert [(mark.lesson_id, mark.student_id, mark.value) for mark in page.marks] == [
        (first.lesson_id, school.student_ids[2], 4)
    ]
    assert (page.period.name, page.course.class_name, page.mark_min, len(page.periods)) == ("2 четверть", "8-А", 2, 4)


async def test_a_page_of_another_period_is_empty_and_of_none_not_found(world: World, school: School) -> None:
    teacher = await world.teacher(school)
    await world.lesson(school, teacher)
    page = await world.page(school, teacher)
    request = journal_service_pb2.GetJournalPageRequest(
        school_id=school.school_id, course_id=school.algebra, period_id=page.periods[0].period_id
    )
    other = await world.journal.GetJournalPage(request, metadata=teacher.metadata)
    assert (other.period.name, len(other.lessons)) == ("1 четверть", 0)
    request.period_id = str(uuid4())
    call = world.journal.GetJournalPage(request, metadata=teacher.metadata)
    assert await refused(call) == (grpc.StatusCode.NOT_FOUND, "PERIOD_NOT_FOUND")
