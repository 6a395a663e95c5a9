"""RecordMarks and CorrectMark, and what a family sees of them at once (Clause R4)."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import grpc
import pytest

from diary.journal.v1 import diary_service_pb2, events_pb2, journal_service_pb2, mark_pb2
from tests.support.backends import Clone
from tests.support.services import refused, sign_service
from tests.worlds.journal import TODAY, Person, School, World, cell, query, record_lesson, record_marks

SAVED = mark_pb2.CELL_STATE_SAVED
CONFLICT = mark_pb2.CELL_STATE_CONFLICT
REFUSED = mark_pb2.CELL_STATE_REFUSED
Outcome = mark_pb2.MarkCellOutcome


async def record(world: World, school: School, teacher: Person, *cells: mark_pb2.MarkCell) -> list[Outcome]:
    answer = await world.journal.RecordMarks(record_marks(school, *cells), metadata=teacher.metadata)
    return list(answer.outcomes)


async def test_a_mark_is_seen_by_the_family_at_once(world: World, school: School) -> None:
    teacher, student = await world.teacher(school), school.student_ids[0]
    mother = await world.guardian(school, student)
    lesson = await world.lesson(school, teacher)
    outcomes = await record(
        world, school, teacher, cell(lesson.lesson_id, student, 5), cell(lesson.lesson_id, school.student_ids[1], 2)
    )
    assert [(outcome.state, outcome.revision, outcome.value) for outcome in outcomes] == [(SAVED, 1, 5), (SAVED, 1, 2)]
    [shown] = (await world.week(school, student, mother)).lessons
    assert shown.card.topic == "Квадратные уравнения"
    assert [(mark.value, mark.revision) for mark in shown.marks] == [(5, 1)]


async def test_several_marks_of_a_student_in_one_lesson_all_stand(world: World, school: School) -> None:
    teacher, student = await world.teacher(school), school.student_ids[0]
    lesson = await world.lesson(school, teacher)
    await record(world, school, teacher, cell(lesson.lesson_id, student, 2), cell(lesson.lesson_id, student, 4))
    page = await world.page(school, teacher)
    assert sorted(mark.value for mark in page.marks) == [2, 4]


async def test_a_mark_out_of_the_scale_is_refused_and_the_others_are_saved(world: World, school: School) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    cells = [cell(lesson.lesson_id, student, value) for student, value in zip(school.student_ids, (7, 1, 0, 2, 5), strict=True)]
    outcomes = await record(world, school, teacher, *cells)
    refusal = (REFUSED, "MARK_NOT_IN_SCALE")
    assert [(outcome.state, outcome.reason) for outcome in outcomes] == [refusal, refusal, refusal, (SAVED, ""), (SAVED, "")]


async def test_a_mark_for_a_planned_or_absent_lesson_or_a_stranger_is_refused(
    world: World, school: School, clone: Clone
) -> None:
    teacher, student = await world.teacher(school), school.student_ids[0]
    held, planned = await world.lesson(school, teacher), str(uuid4())
    await query(
        clone.admin_dsn,
        "INSERT INTO lessons (school_id, lesson_id, course_id, lesson_date, lesson_number, state) "
        "VALUES ($1, $2, $3, $4, 5, 1)",
        school.school_id,
        planned,
        school.algebra,
        TODAY,
    )
    outcomes = await record(
        world,
        school,
        teacher,
        cell(planned, student),
        cell(str(uuid4()), student),
        cell(held.lesson_id, school.other_student_id),
    )
    assert [outcome.reason for outcome in outcomes] == ["LESSON_NOT_HELD", "LESSON_NOT_FOUND", "STUDENT_NOT_IN_COURSE"]


async def test_a_mark_in_a_closed_period_is_refused(world: World, school: School, clone: Clone) -> None:
    teacher, student = await world.teacher(school), school.student_ids[0]
    lesson = await world.lesson(school, teacher)
    await query(clone.admin_dsn, "UPDATE periods SET is_closed = true WHERE school_id = $1", school.school_id)
    [outcome] = await record(world, school, teacher, cell(lesson.lesson_id, student))
    assert (outcome.state, outcome.reason) == (REFUSED, "PERIOD_CLOSED")


async def test_a_course_without_marks_takes_none(world: World, school: School) -> None:
    teacher = await world.teacher(school, school.unmarked)
    lesson = await world.lesson(school, teacher, course_id=school.unmarked)
    request = record_marks(school, cell(lesson.lesson_id, school.student_ids[0]), course_id=school.unmarked)
    answer = await world.journal.RecordMarks(request, metadata=teacher.metadata)
    assert answer.outcomes[0].reason == "COURSE_NOT_MARKED"


async def test_a_repeat_with_the_same_request_id_changes_nothing_and_answers_the_same(
    world: World, school: School, clone: Clone
) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    request = record_marks(school, cell(lesson.lesson_id, school.student_ids[0], 4), cell(str(uuid4()), school.student_ids[0]))
    first = await world.journal.RecordMarks(request, metadata=teacher.metadata)
    second = await world.journal.RecordMarks(request, metadata=teacher.metadata)
    assert first == second
    rows = await query(clone.admin_dsn, "SELECT seq FROM course_chains WHERE course_id = $1", school.algebra)
    assert [row["seq"] for row in rows] == [1]


async def test_a_call_that_changes_nothing_is_remembered_too(world: World, school: School, clone: Clone) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    request = record_marks(school, cell(lesson.lesson_id, school.student_ids[0], 7))
    first = await world.journal.RecordMarks(request, metadata=teacher.metadata)
    await query(clone.admin_dsn, "UPDATE lessons SET state = 1 WHERE lesson_id = $1", lesson.lesson_id)
    assert await world.journal.RecordMarks(request, metadata=teacher.metadata) == first


async def test_a_request_id_used_with_other_marks_is_refused(world: World, school: School) -> None:
    teacher, request_id = await world.teacher(school), str(uuid4())
    lesson = await world.lesson(school, teacher)
    requests = [
        record_marks(school, cell(lesson.lesson_id, school.student_ids[0], value), request_id=request_id) for value in (4, 5)
    ]
    await world.journal.RecordMarks(requests[0], metadata=teacher.metadata)
    assert await refused(world.journal.RecordMarks(requests[1], metadata=teacher.metadata)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "REQUEST_ID_REUSED",
    )


async def test_a_repeat_after_a_lost_answer_under_another_request_id_is_saved_once(world: World, school: School) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    one = cell(lesson.lesson_id, school.student_ids[0], 4)
    for _ in range(2):
        [outcome] = await record(world, school, teacher, one)
        assert (outcome.state, outcome.revision) == (SAVED, 1)


async def test_a_cell_that_two_hands_edited_answers_conflict_with_the_current_value(world: World, school: School) -> None:
    teacher, substitute = await world.teacher(school), await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    mark_id = str(uuid4())
    await record(world, school, teacher, cell(lesson.lesson_id, school.student_ids[0], 3, mark_id=mark_id))
    first = cell(lesson.lesson_id, school.student_ids[0], 4, mark_id=mark_id, expected_revision=1)
    second = cell(lesson.lesson_id, school.student_ids[0], 5, mark_id=mark_id, expected_revision=1)
    assert [outcome.state for outcome in await record(world, school, teacher, first)] == [SAVED]
    [outcome] = await record(world, school, substitute, second)
    assert (outcome.state, outcome.revision, outcome.value) == (CONFLICT, 2, 4)


async def test_of_many_hands_at_once_on_one_mark_exactly_one_saves(world: World, school: School) -> None:
    teachers = [await world.teacher(school) for _ in range(6)]
    lesson = await world.lesson(school, teachers[0])
    mark_id = str(uuid4())
    await record(world, school, teachers[0], cell(lesson.lesson_id, school.student_ids[0], 2, mark_id=mark_id))
    outcomes = await asyncio.gather(
        *(
            record(
                world,
                school,
                teacher,
                cell(lesson.lesson_id, school.student_ids[0], 3 + number % 3, mark_id=mark_id, expected_revision=1),
            )
            for number, teacher in enumerate(teachers)
        )
    )
    assert sorted(outcome.state for [outcome] in outcomes) == [SAVED] + [CONFLICT] * 5
    assert {outcome.revision for [outcome] in outcomes} == {2}


async def test_calls_at_once_on_one_course_all_enter_the_chain(world: World, school: School, clone: Clone) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    await asyncio.gather(
        *(record(world, school, teacher, cell(lesson.lesson_id, student, 4)) for student in school.student_ids * 4)
    )
    rows = await query(clone.admin_dsn, "SELECT seq FROM course_chains WHERE course_id = $1", school.algebra)
    assert rows[0]["seq"] == 20


async def test_the_same_request_twice_at_once_is_answered_alike(world: World, school: School) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    request = record_marks(school, *(cell(lesson.lesson_id, student, 4) for student in school.student_ids))
    answers = await asyncio.gather(*(world.journal.RecordMarks(request, metadata=teacher.metadata) for _ in range(8)))
    assert all(answer == answers[0] for answer in answers)


async def test_a_mark_id_of_another_student_is_refused(world: World, school: School) -> None:
    teacher, mark_id = await world.teacher(school), str(uuid4())
    lesson = await world.lesson(school, teacher)
    await record(world, school, teacher, cell(lesson.lesson_id, school.student_ids[0], mark_id=mark_id))
    [outcome] = await record(world, school, teacher, cell(lesson.lesson_id, school.student_ids[1], mark_id=mark_id))
    assert (outcome.state, outcome.reason) == (REFUSED, "MARK_ELSEWHERE")


async def test_a_mark_id_twice_in_one_request_fails_the_request(world: World, school: School) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    one = cell(lesson.lesson_id, school.student_ids[0])
    call = world.journal.RecordMarks(record_marks(school, one, one), metadata=teacher.metadata)
    assert await refused(call) == (grpc.StatusCode.INVALID_ARGUMENT, "CELL_REPEATED")


async def test_a_mark_taken_back_is_seen_no_more_but_stays_in_the_history(world: World, school: School, clone: Clone) -> None:
    teacher, student, mark_id = await world.teacher(school), school.student_ids[0], str(uuid4())
    mother = await world.guardian(school, student)
    lesson = await world.lesson(school, teacher)
    await record(world, school, teacher, cell(lesson.lesson_id, student, 2, mark_id=mark_id))
    [outcome] = await record(
        world, school, teacher, cell(lesson.lesson_id, student, None, mark_id=mark_id, expected_revision=1)
    )
    assert (outcome.state, outcome.revision, outcome.HasField("value")) == (SAVED, 2, False)
    assert not (await world.week(school, student, mother)).lessons[0].marks
    assert not (await world.page(school, teacher)).marks
    rows = await query(clone.admin_dsn, "SELECT value FROM mark_revisions WHERE mark_id = $1 ORDER BY revision", UUID(mark_id))
    assert [row["value"] for row in rows] == [2, None]


async def test_a_mark_of_an_earlier_day_is_changed_only_with_a_reason(world: World, school: School, clone: Clone) -> None:
    teacher, mark_id = await world.teacher(school), str(uuid4())
    lesson = await world.lesson(school, teacher)
    await record(world, school, teacher, cell(lesson.lesson_id, school.student_ids[0], 2, mark_id=mark_id))
    await query(
        clone.admin_dsn,
        "UPDATE mark_batches SET create_time = create_time - interval '1 day' WHERE course_id = $1",
        school.algebra,
    )
    change = cell(lesson.lesson_id, school.student_ids[0], 3, mark_id=mark_id, expected_revision=1)
    [outcome] = await record(world, school, teacher, change)
    assert (outcome.state, outcome.reason, outcome.value) == (REFUSED, "REASON_REQUIRED", 2)
    answer = await world.journal.CorrectMark(correct(school, mark_id, 3), metadata=teacher.metadata)
    assert (answer.mark.value, answer.mark.revision) == (3, 2)


def correct(
    school: School, mark_id: str, value: int | None, expected_revision: int = 1, request_id: str = ""
) -> journal_service_pb2.CorrectMarkRequest:
    return journal_service_pb2.CorrectMarkRequest(
        school_id=school.school_id,
        mark_id=mark_id,
        request_id=request_id or str(uuid4()),
        value=value,
        reason="Пересдача темы",
        expected_revision=expected_revision,
    )


async def given_mark(world: World, school: School, teacher: Person, value: int = 2) -> str:
    lesson = await world.lesson(school, teacher)
    [outcome] = await record(world, school, teacher, cell(lesson.lesson_id, school.student_ids[0], value))
    return str(outcome.mark_id)


async def test_the_event_of_a_mark_tells_the_thread_of_its_call(world: World, school: School, clone: Clone) -> None:
    teacher, request_id = await world.teacher(school), uuid4()
    lesson = await world.lesson(school, teacher)
    request = record_marks(school, cell(lesson.lesson_id, school.student_ids[0]))
    await world.journal.RecordMarks(request, metadata=[*teacher.metadata, ("x-request-id", str(request_id))])
    [event] = await query(
        clone.admin_dsn,
        "SELECT traceparent FROM outbox WHERE school_id = $1 AND subject = 'diary.journal.v1.MarksRecorded'",
        school.school_id,
    )
    assert event["traceparent"].split("-")[1] == request_id.hex


async def test_a_correction_keeps_its_reason_and_tells_it_to_no_event(world: World, school: School, clone: Clone) -> None:
    teacher = await world.teacher(school)
    mark_id = await given_mark(world, school, teacher)
    request = correct(school, mark_id, 4)
    answer = await world.journal.CorrectMark(request, metadata=teacher.metadata)
    assert await world.journal.CorrectMark(request, metadata=teacher.metadata) == answer
    rows = await query(
        clone.admin_dsn, "SELECT value, reason FROM mark_revisions WHERE mark_id = $1 ORDER BY revision", mark_id
    )
    assert [tuple(row) for row in rows] == [(2, None), (4, "Пересдача темы")]
    [event] = await query(
        clone.admin_dsn,
        "SELECT payload FROM outbox WHERE school_id = $1 AND subject = 'diary.journal.v1.MarkCorrected'",
        school.school_id,
    )
    assert events_pb2.MarkCorrected.FromString(event["payload"]).mark.value == 4
    assert "Пересдача".encode() not in event["payload"]


@pytest.mark.parametrize(
    ("value", "expected_revision", "status", "reason"),
    [
        (7, 1, grpc.StatusCode.INVALID_ARGUMENT, "MARK_NOT_IN_SCALE"),
        (4, 2, grpc.StatusCode.ABORTED, "MARK_CHANGED"),
    ],
)
async def test_a_correction_that_cannot_be_is_refused(
    world: World, school: School, value: int, expected_revision: int, status: grpc.StatusCode, reason: str
) -> None:
    teacher = await world.teacher(school)
    mark_id = await given_mark(world, school, teacher)
    call = world.journal.CorrectMark(correct(school, mark_id, value, expected_revision), metadata=teacher.metadata)
    assert await refused(call) == (status, reason)


async def test_a_correction_by_another_teacher_answers_as_for_a_mark_that_is_not(world: World, school: School) -> None:
    teacher, other = await world.teacher(school), await world.teacher(school, school.other_algebra)
    mark_id = await given_mark(world, school, teacher)
    for one in (mark_id, str(uuid4())):
        call = world.journal.CorrectMark(correct(school, one, 4), metadata=other.metadata)
        assert await refused(call) == (grpc.StatusCode.NOT_FOUND, "MARK_NOT_FOUND")


async def test_recorded_marks_are_told_in_one_event_with_their_batch(world: World, school: School, clone: Clone) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    await record(world, school, teacher, *(cell(lesson.lesson_id, student, 4) for student in school.student_ids))
    [row] = await query(
        clone.admin_dsn,
        "SELECT payload FROM outbox WHERE school_id = $1 AND subject = 'diary.journal.v1.MarksRecorded'",
        school.school_id,
    )
    event = events_pb2.MarksRecorded.FromString(row["payload"])
    assert (event.batch_number, event.course_id) == (1, school.algebra)
    assert sorted(mark.student_id for mark in event.marks) == sorted(school.student_ids)


async def test_the_database_lets_no_one_of_the_service_change_history(world: World, school: School, clone: Clone) -> None:
    rows = await query(
        clone.admin_dsn,
        "SELECT grantee, table_name, privilege_type FROM information_schema.role_table_grants "
        "WHERE table_name IN ('mark_revisions', 'mark_batches') AND grantee <> 'diary_journal_owner'",
    )
    assert {row["privilege_type"] for row in rows} == {"SELECT", "INSERT"}


async def test_letters_are_told_marks_as_they_stand_without_those_taken_back(
    world: World, school: School, keys_dir: object
) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    kept, taken = cell(lesson.lesson_id, school.student_ids[0], 3), cell(lesson.lesson_id, school.student_ids[1], 2)
    await record(world, school, teacher, kept, taken)
    await record(
        world,
        school,
        teacher,
        cell(lesson.lesson_id, school.student_ids[1], None, mark_id=taken.mark_id, expected_revision=1),
        cell(lesson.lesson_id, school.student_ids[0], 4, mark_id=kept.mark_id, expected_revision=1),
    )
    answer = await world.diary.BatchGetMarks(
        diary_service_pb2.BatchGetMarksRequest(school_id=school.school_id, mark_ids=[kept.mark_id, taken.mark_id]),
        metadata=sign_service(world.keys_dir, "notify", world.clock),
    )
    [mark] = answer.marks
    assert (mark.mark_id, mark.value, mark.revision, mark.subject_name) == (kept.mark_id, 4, 2, "Алгебра")
    assert (mark.previous_value, mark.reason) == (3, "")
    assert (mark.student_name, mark.topic, mark.lesson_date) == ("Ученик 0", "Квадратные уравнения", TODAY.isoformat())


async def test_a_student_who_joined_after_the_lesson_gets_no_mark_in_it(world: World, school: School, clone: Clone) -> None:
    teacher = await world.teacher(school)
    answer = await world.journal.RecordLesson(record_lesson(school, TODAY - timedelta(days=7)), metadata=teacher.metadata)
    await query(
        clone.admin_dsn,
        "UPDATE course_members SET from_date = $2 WHERE student_id = $1 AND course_id = $3",
        school.student_ids[0],
        TODAY,
        school.algebra,
    )
    [outcome] = await record(world, school, teacher, cell(answer.lesson.lesson_id, school.student_ids[0]))
    assert outcome.reason == "STUDENT_NOT_IN_COURSE"
