"""A school with quarters in 8-А and half-years in 10-А, and a group of both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc
import pytest
import pytest_asyncio

from diary.access.v1 import roster_pb2
from diary.journal.v1 import diary_service_pb2, journal_service_pb2
from services.journal.curriculum.rules import PeriodKind
from services.journal.roster.actions import apply_entries
from services.journal.roster.convert import read_entries
from tests.support.backends import Clone
from tests.support.services import reason, refused, sign_service
from tests.worlds.journal import (
    TODAY,
    WEEK,
    Person,
    School,
    World,
    cell,
    class_entry,
    query,
    record_attendance,
    record_lesson,
    record_marks,
    student_entry,
    study_group,
)

FIRST_QUARTER, VACATION = date(2026, 10, 14), date(2026, 10, 28)
QUARTERS = ["1 четверть", "2 четверть", "3 четверть", "4 четверть"]
HALF_YEARS = ["1 полугодие", "2 полугодие"]


@dataclass
class Seniors:
    """10-А beside 8-А of a school: its course, and a course that gathers both."""

    school: School
    class_id: str
    student_id: str
    course_id: str
    group_id: str
    teacher: Person


@pytest_asyncio.fixture
async def seniors(world: World, school: School) -> Seniors:
    class_id, student_id, course_id, group_id = (str(uuid4()) for _ in range(4))
    world.roster.put(
        school.school_id,
        class_entry(class_id, "10-А", 10),
        student_entry(student_id, "Старший", class_id),
        study_group(course_id, class_id, "Алгебра", [student_id]),
        study_group(group_id, "", "Хор", [student_id, school.student_ids[0]]),
    )
    await world.load(school)
    teacher = await world.teacher(school, school.algebra, course_id, group_id)
    return Seniors(school, class_id, student_id, course_id, group_id, teacher)


async def names(world: World, seniors: Seniors, course_id: str) -> list[str]:
    return [period.name for period in (await world.page(seniors.school, seniors.teacher, course_id)).periods]


async def close(clone: Clone, seniors: Seniors, name: str) -> None:
    await query(
        clone.admin_dsn,
        "UPDATE periods SET is_closed = true WHERE school_id = $1 AND name = $2",
        UUID(seniors.school.school_id),
        name,
    )


async def test_each_class_has_the_periods_of_its_grade_and_a_group_the_shorter(world: World, seniors: Seniors) -> None:
    assert await names(world, seniors, seniors.school.algebra) == QUARTERS
    assert await names(world, seniors, seniors.course_id) == HALF_YEARS
    assert await names(world, seniors, seniors.group_id) == QUARTERS
    page = await world.page(seniors.school, seniors.teacher, seniors.course_id)
    assert (page.period.name, page.period.start_date, page.period.end_date) == ("1 полугодие", "2026-09-01", "2026-12-28")


async def test_a_group_of_seniors_alone_has_half_years(world: World, seniors: Seniors) -> None:
    other_class, other, group = (str(uuid4()) for _ in range(3))
    world.roster.put(
        seniors.school.school_id,
        class_entry(other_class, "11-А", 11),
        student_entry(other, "Выпускник", other_class),
        study_group(group, "", "Право", [seniors.student_id, other]),
    )
    await world.load(seniors.school)
    teacher = await world.teacher(seniors.school, group)
    page = await world.page(seniors.school, teacher, group)
    assert [period.name for period in page.periods] == HALF_YEARS


async def every_write(world: World, seniors: Seniors, course_id: str, student_id: str, day: date) -> list[str]:
    """What each write of a lesson of that day answers; it was held, with a mark, before its period was closed."""
    school, metadata = seniors.school, seniors.teacher.metadata
    [lesson] = [one for one in (await read(world, seniors, course_id, day)).lessons if one.lesson_date == day.isoformat()]
    answers = [
        await answer(world.journal.RecordLesson(record_lesson(school, day, 5, course_id=course_id), metadata=metadata)),
        await answer(
            world.journal.RecordMarks(
                record_marks(school, cell(lesson.lesson_id, student_id), course_id=course_id), metadata=metadata
            )
        ),
    ]
    attendance = record_attendance(school, lesson.lesson_id, {})
    attendance.course_id = course_id
    answers.append(await answer(world.journal.RecordAttendance(attendance, metadata=metadata)))
    whole = journal_service_pb2.RecordClassRequest(
        school_id=school.school_id,
        course_id=course_id,
        request_id=str(uuid4()),
        lesson_date=day.isoformat(),
        lesson_number=6,
        topic="Степени",
    )
    answers.append(await answer(world.journal.RecordClass(whole, metadata=metadata)))
    retraction = journal_service_pb2.RetractLessonRequest(
        school_id=school.school_id,
        course_id=course_id,
        lesson_id=lesson.lesson_id,
        request_id=str(uuid4()),
        etag=lesson.etag,
        reason="ошибка",
    )
    answers.append(await answer(world.journal.RetractLesson(retraction, metadata=metadata)))
    return answers


async def read(world: World, seniors: Seniors, course_id: str, day: date) -> Any:
    page = await world.page(seniors.school, seniors.teacher, course_id)
    [period] = [one for one in page.periods if one.start_date <= day.isoformat() <= one.end_date]
    request = journal_service_pb2.GetJournalPageRequest(
        school_id=seniors.school.school_id, course_id=course_id, period_id=period.period_id
    )
    return await world.journal.GetJournalPage(request, metadata=seniors.teacher.metadata)


async def answer(call: Any) -> str:
    """Why a call, or its first cell, was refused; empty when it was not."""
    try:
        outcomes = getattr(await call, "outcomes", ())
    except grpc.aio.AioRpcError as error:
        return reason(error)
    return outcomes[0].reason if outcomes else ""


@pytest.mark.parametrize(("closed", "is_closed_to_seniors"), [("1 четверть", False), ("1 полугодие", True)])
async def test_a_closed_period_closes_the_days_of_those_who_go_by_it(
    world: World, clone: Clone, seniors: Seniors, closed: str, is_closed_to_seniors: bool
) -> None:
    places = {
        seniors.school.algebra: seniors.school.student_ids[0],
        seniors.course_id: seniors.student_id,
        seniors.group_id: seniors.student_id,
    }
    for course_id in places:
        await world.lesson(seniors.school, seniors.teacher, FIRST_QUARTER, course_id=course_id)
    await close(clone, seniors, closed)
    for course_id, student_id in places.items():
        is_closed = is_closed_to_seniors if course_id == seniors.course_id else not is_closed_to_seniors
        answers = await every_write(world, seniors, course_id, student_id, FIRST_QUARTER)
        refusals = [one == "PERIOD_CLOSED" for one in answers]
        assert refusals == [is_closed] * 5, answers
        assert is_closed or answers[:4] == [""] * 4


async def test_a_vacation_between_quarters_is_in_no_quarter_and_in_a_half_year(world: World, seniors: Seniors) -> None:
    junior = record_lesson(seniors.school, VACATION)
    assert (await refused(world.journal.RecordLesson(junior, metadata=seniors.teacher.metadata)))[1] == "DATE_OUTSIDE_PERIODS"
    assert await world.lesson(seniors.school, seniors.teacher, VACATION, course_id=seniors.course_id)


async def test_a_sheet_shows_the_period_of_its_class_and_means_of_each_courses(
    world: World, seniors: Seniors, keys_dir: Path
) -> None:
    for course_id in (seniors.course_id, seniors.group_id):
        for day, value in ((FIRST_QUARTER, 3), (TODAY, 5)):
            lesson = await world.lesson(seniors.school, seniors.teacher, day, course_id=course_id)
            marks = record_marks(seniors.school, cell(lesson.lesson_id, seniors.student_id, value), course_id=course_id)
            await world.journal.RecordMarks(marks, metadata=seniors.teacher.metadata)
    senior, junior = [await class_week(world, keys_dir, seniors, one) for one in (seniors.class_id, seniors.school.class_id)]
    assert (senior.period_name, senior.period_week, senior.period_week_count) == ("1 полугодие", 12, 18)
    assert (junior.period_name, junior.period_week, junior.period_week_count) == ("2 четверть", 3, 9)
    [student] = senior.students
    assert {one.course_id: (one.mean_hundredths, len(one.marks)) for one in student.subjects} == {
        seniors.course_id: (400, 1),
        seniors.group_id: (500, 1),
    }


async def class_week(world: World, keys_dir: Path, seniors: Seniors, class_id: str) -> Any:
    request = diary_service_pb2.GetClassWeekRequest(school_id=seniors.school.school_id, class_id=class_id, week=WEEK)
    return await world.diary.GetClassWeek(request, metadata=sign_service(keys_dir, "documents", world.clock))


async def test_a_course_is_told_before_its_class_and_goes_by_it_all_the_same(world: World, school: School) -> None:
    class_id, course_id = str(uuid4()), str(uuid4())
    world.roster.put(school.school_id, study_group(course_id, class_id, "Физика", []))
    teacher = await world.teacher(school, course_id)
    assert [period.name for period in (await world.page(school, teacher, course_id)).periods] == QUARTERS
    await tell(world, school, class_entry(class_id, "11-А", 11))
    assert [period.name for period in (await world.page(school, teacher, course_id)).periods] == HALF_YEARS


async def test_a_group_is_told_before_its_students_and_goes_by_their_classes(world: World, seniors: Seniors) -> None:
    student_id, group_id = str(uuid4()), str(uuid4())
    world.roster.put(seniors.school.school_id, study_group(group_id, "", "Право", [student_id]))
    teacher = await world.teacher(seniors.school, group_id)
    assert [period.name for period in (await world.page(seniors.school, teacher, group_id)).periods] == QUARTERS
    await tell(world, seniors.school, student_entry(student_id, "Новый", seniors.class_id))
    assert [period.name for period in (await world.page(seniors.school, teacher, group_id)).periods] == HALF_YEARS


async def test_a_group_is_told_before_the_class_of_its_students_and_goes_by_it(world: World, school: School) -> None:
    student_id, class_id, group_id = (str(uuid4()) for _ in range(3))
    world.roster.put(school.school_id, study_group(group_id, "", "Право", [student_id]))
    teacher = await world.teacher(school, group_id)
    await tell(world, school, student_entry(student_id, "Новый", class_id))
    for grade, version, kinds in ((11, 1, HALF_YEARS), (9, 2, QUARTERS)):
        await tell(world, school, class_entry(class_id, "А", grade, version=version))
        assert [period.name for period in (await world.page(school, teacher, group_id)).periods] == kinds


async def tell(world: World, school: School, entry: roster_pb2.RosterEntry) -> None:
    """One entry alone, as an event brings it."""
    school_id = UUID(school.school_id)
    async with world.database.school(school_id) as connection, connection.transaction():
        await apply_entries(connection, school_id, read_entries([entry]))


async def test_a_class_that_was_begun_keeps_its_periods_and_one_that_was_not_takes_the_new(
    world: World, seniors: Seniors, keys_dir: Path
) -> None:
    await world.lesson(seniors.school, seniors.teacher, course_id=seniors.school.algebra)
    world.roster.put(
        seniors.school.school_id,
        class_entry(seniors.school.class_id, "8-А", 10, version=2),
        class_entry(seniors.class_id, "10-А", 9, version=2),
    )
    await world.load(seniors.school)
    assert await names(world, seniors, seniors.school.algebra) == QUARTERS
    assert (await class_week(world, keys_dir, seniors, seniors.school.class_id)).period_name == "2 четверть"
    assert await names(world, seniors, seniors.course_id) == QUARTERS
    assert (await class_week(world, keys_dir, seniors, seniors.class_id)).period_name == "2 четверть"


@pytest.mark.parametrize(("is_begun", "periods"), [(True, QUARTERS), (False, HALF_YEARS)])
async def test_a_group_that_was_begun_keeps_its_periods_when_the_younger_leave_it(
    world: World, seniors: Seniors, is_begun: bool, periods: list[str]
) -> None:
    if is_begun:
        await world.lesson(seniors.school, seniors.teacher, course_id=seniors.group_id)
    world.roster.put(seniors.school.school_id, study_group(seniors.group_id, "", "Хор", [seniors.student_id], version=2))
    await world.load(seniors.school)
    assert await names(world, seniors, seniors.group_id) == periods


@pytest.mark.parametrize(
    ("moves_on", "periods"), [("2026-08-30", HALF_YEARS), ("2026-10-05", QUARTERS), ("2027-08-30", QUARTERS)]
)
async def test_a_group_goes_by_the_classes_of_its_own_time(
    world: World, seniors: Seniors, moves_on: str, periods: list[str]
) -> None:
    """A student of 9-А who is of 10-А before the group begins, within its time, and in the year after."""
    before, student_id, group_id = (str(uuid4()) for _ in range(3))
    student = student_entry(student_id, "Идущий", seniors.class_id)
    for class_id, first, last in ((before, "2025-09-01", moves_on), (seniors.class_id, moves_on, "")):
        placement = student.student.placements.add(class_id=class_id)
        placement.from_time.FromJsonString(f"{first}T00:00:00+03:00")
        if last:
            placement.to_time.FromJsonString(f"{last}T00:00:00+03:00")
    world.roster.put(
        seniors.school.school_id, class_entry(before, "9-А", 9), student, study_group(group_id, "", "Хор", [student_id])
    )
    await world.load(seniors.school)
    teacher = await world.teacher(seniors.school, group_id)
    assert [period.name for period in (await world.page(seniors.school, teacher, group_id)).periods] == periods


async def test_periods_of_a_kind_do_not_overlap_and_those_of_two_kinds_may(clone: Clone, school: School) -> None:
    statement = """
        INSERT INTO periods (school_id, kind, period_id, name, start_date, end_date)
        VALUES ($1, $2, gen_random_uuid(), 'x', '2026-10-01', '2026-11-30')
    """
    await query(clone.admin_dsn, statement, UUID(school.school_id), PeriodKind.TRIMESTER)
    with pytest.raises(asyncpg.ExclusionViolationError):
        await query(clone.admin_dsn, statement, UUID(school.school_id), PeriodKind.QUARTER)


async def test_a_mark_of_a_closed_half_year_is_not_corrected(world: World, clone: Clone, seniors: Seniors) -> None:
    lesson = await world.lesson(seniors.school, seniors.teacher, FIRST_QUARTER, course_id=seniors.course_id)
    given = cell(lesson.lesson_id, seniors.student_id, 3)
    await world.journal.RecordMarks(
        record_marks(seniors.school, given, course_id=seniors.course_id), metadata=seniors.teacher.metadata
    )

    def correct(expected_revision: int) -> Any:
        request = journal_service_pb2.CorrectMarkRequest(
            school_id=seniors.school.school_id,
            mark_id=given.mark_id,
            value=4,
            expected_revision=expected_revision,
            reason="пересдача",
            request_id=str(uuid4()),
        )
        return world.journal.CorrectMark(request, metadata=seniors.teacher.metadata)

    await close(clone, seniors, "1 четверть")
    assert (await correct(1)).mark.value == 4
    await close(clone, seniors, "1 полугодие")
    assert (await refused(correct(2)))[1] == "PERIOD_CLOSED"
