"""RecordClass: a class's lesson in one piece, all of it or nothing, and what a family sees of it at once (Clause R4)."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest

from diary.journal.v1 import events_pb2, journal_service_pb2, lesson_pb2, mark_pb2
from diary.journal.v1.journal_service_pb2 import ClassMarkCell, RecordClassRequest, RecordClassResponse
from diary.journal.v1.lesson_pb2 import AbsenceCell
from services.journal.marks.store import class_record
from tests.service.journal.test_journal_standing import CLOSE, LEAVE
from tests.support.backends import Clone
from tests.support.services import refused
from tests.worlds.journal import (
    TODAY,
    Person,
    School,
    World,
    cell,
    query,
    record_attendance,
    record_lesson,
    record_marks,
)

SAVED = mark_pb2.CELL_STATE_SAVED
CONFLICT = mark_pb2.CELL_STATE_CONFLICT
ABSENT, EXCUSED, ILL = (
    lesson_pb2.ABSENCE_CODE_ABSENT,
    lesson_pb2.ABSENCE_CODE_EXCUSED,
    lesson_pb2.ABSENCE_CODE_ILL,
)


def record_class(school: School, marks: dict[str, int], absences: dict[str, Any], **changes: Any) -> RecordClassRequest:
    """A request with new marks and absences by student, in the lesson of `record_lesson`."""
    fields = {"topic": "Квадратные уравнения", "homework": "№ 251, 253", "request_id": str(uuid4()), **changes}
    course_id, number = fields.pop("course_id", school.algebra), fields.pop("number", 3)
    return RecordClassRequest(
        school_id=school.school_id,
        course_id=course_id,
        lesson_date=fields.pop("day", TODAY).isoformat(),
        lesson_number=number,
        marks=[ClassMarkCell(mark_id=str(uuid4()), student_id=one, value=value) for one, value in marks.items()],
        absences=[AbsenceCell(student_id=one, code=code) for one, code in absences.items()],
        **fields,
    )


async def record(world: World, teacher: Person, request: RecordClassRequest) -> RecordClassResponse:
    return await world.journal.RecordClass(request, metadata=teacher.metadata)


async def events(clone: Clone, school: School, kind: Any) -> list[Any]:
    rows = await query(
        clone.admin_dsn,
        "SELECT payload FROM outbox WHERE school_id = $1 AND subject = $2 ORDER BY event_number",
        school.school_id,
        kind.DESCRIPTOR.full_name,
    )
    return [kind.FromString(row["payload"]) for row in rows]


async def test_a_lesson_its_marks_and_absences_stand_after_one_call(world: World, school: School) -> None:
    teacher, (first, second, *_) = await world.teacher(school), school.student_ids
    mother = await world.guardian(school, first)
    answer = await record(world, teacher, record_class(school, {first: 5}, {second: ABSENT}))
    assert [(outcome.state, outcome.revision, outcome.value) for outcome in answer.outcomes] == [(SAVED, 1, 5)]
    [shown] = (await world.week(school, first, mother)).lessons
    assert (shown.card.topic, [mark.value for mark in shown.marks]) == ("Квадратные уравнения", [5])
    page = await world.page(school, teacher)
    assert list(page.lessons) == [answer.lesson]
    assert [(one.student_id, one.code) for one in page.absences] == [(second, ABSENT)]
    assert (answer.lesson.etag, answer.lesson.attendance_etag) == ("L1", "A1")


async def test_one_event_tells_what_changed_and_nothing_else(world: World, school: School, clone: Clone) -> None:
    teacher, (first, second, *_) = await world.teacher(school), school.student_ids
    await record(world, teacher, record_class(school, {first: 5}, {second: ABSENT}))
    await record(world, teacher, record_class(school, {second: 4}, {second: ABSENT}))
    await record(world, teacher, record_class(school, {}, {}, attendance_etag="A1"))
    await record(world, teacher, record_class(school, {}, {}, topic="Корни", etag="L1"))
    told = await events(clone, school, events_pb2.ClassRecorded)
    assert [[part.name for part, _ in one.ListFields()] for one in told] == [
        ["lesson", "marks", "attendance"],
        ["marks"],
        ["attendance"],
        ["lesson"],
    ]
    whole = told[0]
    assert (whole.lesson.class_id, whole.lesson.lesson_date) == (school.class_id, TODAY.isoformat())
    assert {part.school_id for part in (whole.lesson, whole.marks, whole.attendance)} == {school.school_id}
    assert [(mark.student_id, mark.value, mark.lesson_id) for mark in whole.marks.marks] == [(first, 5, whole.lesson.lesson_id)]
    assert list(whole.attendance.student_ids) == [second]
    for kind in (events_pb2.LessonRecorded, events_pb2.MarksRecorded, events_pb2.AttendanceRecorded):
        assert await events(clone, school, kind) == []


async def test_what_says_what_stands_changes_nothing_whatever_its_etag(world: World, school: School, clone: Clone) -> None:
    teacher, (first, *_) = await world.teacher(school), school.student_ids
    answer = await record(world, teacher, record_class(school, {}, {first: ABSENT}))
    again = await record(world, teacher, record_class(school, {}, {first: ABSENT}, etag="L7", attendance_etag="A7"))
    assert again.lesson == answer.lesson
    assert len(await events(clone, school, events_pb2.ClassRecorded)) == 1


async def test_marks_have_each_their_own_outcome(world: World, school: School) -> None:
    teacher, (first, second, third, *_) = await world.teacher(school), school.student_ids
    request = record_class(school, {first: 7, second: 4, school.other_student_id: 5, third: 3}, {})
    request.marks[3].expected_revision = 2
    answer = await record(world, teacher, request)
    told = [(outcome.state, outcome.reason) for outcome in answer.outcomes]
    assert told == [(3, "MARK_NOT_IN_SCALE"), (SAVED, ""), (3, "STUDENT_NOT_IN_COURSE"), (CONFLICT, "")]
    assert [mark.student_id for mark in (await world.page(school, teacher)).marks] == [second]


async def test_a_mark_of_another_lesson_is_refused(world: World, school: School) -> None:
    teacher, (first, *_) = await world.teacher(school), school.student_ids
    lesson, mark_id = await world.lesson(school, teacher, number=2), str(uuid4())
    written = record_marks(school, cell(lesson.lesson_id, first, mark_id=mark_id))
    await world.journal.RecordMarks(written, metadata=teacher.metadata)
    request = record_class(school, {first: 4}, {})
    request.marks[0].mark_id = mark_id
    assert [one.reason for one in (await record(world, teacher, request)).outcomes] == ["MARK_ELSEWHERE"]


async def test_a_mark_of_yesterday_asks_for_a_reason(world: World, school: School) -> None:
    teacher, (first, *_) = await world.teacher(school), school.student_ids
    request = record_class(school, {first: 4}, {})
    await record(world, teacher, request)
    world.clock.advance(timedelta(days=1))
    teacher = world.renew(teacher, "teacher")
    changed = record_class(school, {first: 5}, {})
    changed.marks[0].mark_id, changed.marks[0].expected_revision = request.marks[0].mark_id, 1
    assert [one.reason for one in (await record(world, teacher, changed)).outcomes] == ["REASON_REQUIRED"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"etag": "L0"}, "LESSON_CHANGED"),
        ({"day": TODAY + timedelta(days=20)}, "LESSON_IN_FUTURE"),
        ({"work_type_id": str(uuid4())}, "WORK_TYPE_NOT_FOUND"),
        ({"attendance_etag": "A1"}, "ATTENDANCE_CHANGED"),
    ],
)
async def test_a_part_that_is_refused_refuses_the_whole(
    world: World, school: School, clone: Clone, changes: dict[str, Any], reason: str
) -> None:
    teacher, (first, second, *_) = await world.teacher(school), school.student_ids
    request = record_class(school, {first: 5}, {second: ABSENT}, **changes)
    assert (await refused(record(world, teacher, request)))[1] == reason
    page = await world.page(school, teacher)
    assert [*page.lessons, *page.marks, *page.absences] == []
    assert await events(clone, school, events_pb2.ClassRecorded) == []


async def test_a_stranger_among_the_absent_refuses_the_whole(world: World, school: School) -> None:
    teacher, (first, *_) = await world.teacher(school), school.student_ids
    request = record_class(school, {first: 5}, {school.other_student_id: ABSENT})
    assert (await refused(record(world, teacher, request)))[1] == "STUDENT_NOT_IN_COURSE"
    assert not (await world.page(school, teacher)).lessons


async def test_another_hands_record_or_attendance_refuses_the_whole(world: World, school: School) -> None:
    teacher, (first, second, *_) = await world.teacher(school), school.student_ids
    lesson = await world.lesson(school, teacher)
    other = record_class(school, {first: 5}, {}, topic="Моя тема")
    assert (await refused(record(world, teacher, other)))[1] == "LESSON_CHANGED"
    taken = record_attendance(school, lesson.lesson_id, {second: ABSENT})
    await world.journal.RecordAttendance(taken, metadata=teacher.metadata)
    assert (await refused(record(world, teacher, record_class(school, {first: 5}, {}))))[1] == "ATTENDANCE_CHANGED"
    assert not (await world.page(school, teacher)).marks


async def test_illness_that_the_teacher_reads_as_excused_stays(world: World, school: School) -> None:
    teacher, (first, *_) = await world.teacher(school), school.student_ids
    mother = await world.guardian(school, first)
    await record(world, teacher, record_class(school, {}, {first: ILL}))
    await record(
        world, teacher, record_class(school, {}, {first: EXCUSED, school.student_ids[1]: ABSENT}, attendance_etag="A1")
    )
    [shown] = (await world.week(school, first, mother)).lessons
    assert shown.absence == ILL


async def test_a_course_of_another_teacher_is_as_absent(world: World, school: School) -> None:
    teacher, stranger = await world.teacher(school), await world.teacher(school, school.other_algebra)
    request = record_class(school, {}, {})
    for person, course_id in ((stranger, school.algebra), (teacher, str(uuid4()))):
        request.course_id = course_id
        assert await refused(record(world, person, request)) == (grpc.StatusCode.NOT_FOUND, "COURSE_NOT_FOUND")


async def test_the_same_request_twice_at_once_is_answered_alike_and_told_once(
    world: World, school: School, clone: Clone
) -> None:
    teacher, (first, second, *_) = await world.teacher(school), school.student_ids
    request = record_class(school, {first: 5}, {second: ABSENT})
    answers = await asyncio.gather(*(record(world, teacher, request) for _ in range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert len(await events(clone, school, events_pb2.ClassRecorded)) == 1


async def test_a_request_id_used_with_another_class_is_refused(world: World, school: School) -> None:
    teacher, request_id = await world.teacher(school), str(uuid4())
    await record(world, teacher, record_class(school, {}, {}, request_id=request_id))
    other = record_class(school, {}, {}, request_id=request_id, topic="Другая")
    assert (await refused(record(world, teacher, other)))[1] == "REQUEST_ID_REUSED"


async def test_the_answer_of_another_method_is_none_of_a_class(world: World, school: School) -> None:
    """A whole class present, without marks, is in bytes what RecordLesson is asked."""
    teacher, request_id = await world.teacher(school), str(uuid4())
    lesson, whole = record_lesson(school, request_id=request_id), record_class(school, {}, {}, request_id=request_id)
    assert lesson.SerializeToString() == whole.SerializeToString()
    await world.journal.RecordLesson(lesson, metadata=teacher.metadata)
    assert (await refused(record(world, teacher, whole)))[1] == "REQUEST_ID_REUSED"


async def test_who_stands_twice_among_the_absent_refuses_the_whole(world: World, school: School) -> None:
    """Also where the last of the two says what stands."""
    teacher, one = await world.teacher(school), school.student_ids[0]
    first = await record(world, teacher, record_class(school, {}, {one: lesson_pb2.ABSENCE_CODE_EXCUSED}))
    twice = record_class(
        school, {}, {one: lesson_pb2.ABSENCE_CODE_EXCUSED}, etag=first.lesson.etag, attendance_etag=first.lesson.attendance_etag
    )
    twice.absences.insert(0, AbsenceCell(student_id=one, code=lesson_pb2.ABSENCE_CODE_ABSENT))
    assert (await refused(record(world, teacher, twice)))[1] == "ABSENCE_REPEATED"


async def test_marks_of_a_class_and_of_others_all_enter_one_chain(world: World, school: School, clone: Clone) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    await asyncio.gather(
        *(record(world, teacher, record_class(school, {one: 4}, {}, number=4 + n)) for n, one in enumerate(school.student_ids)),
        *(
            world.journal.RecordMarks(record_marks(school, cell(lesson.lesson_id, one)), metadata=teacher.metadata)
            for one in school.student_ids
        ),
    )
    rows = await query(clone.admin_dsn, "SELECT seq FROM course_chains WHERE course_id = $1", school.algebra)
    assert rows[0]["seq"] == 2 * len(school.student_ids)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (CLOSE, "PERIOD_CLOSED"),
        (LEAVE, "STUDENT_NOT_IN_COURSE"),
        ("UPDATE lessons SET revision = 7, topic = 'чужая' WHERE school_id = $1", "LESSON_CHANGED"),
        ("UPDATE lessons SET attendance_revision = 7 WHERE school_id = $1", "ATTENDANCE_CHANGED"),
    ],
)
async def test_a_class_is_refused_when_what_it_stands_on_falls_before_it_is_saved(
    world: World, school: School, clone: Clone, between: Any, statement: str, reason: str
) -> None:
    teacher, (first, second, *_) = await world.teacher(school), school.student_ids
    await world.lesson(school, teacher)
    said = between(class_record, "save_class", statement)
    request = record_class(school, {first: 5}, {second: ABSENT}, topic="Корни", etag="L1")
    assert (await refused(record(world, teacher, request)))[1] == reason
    assert said == [False]
    assert not await query(clone.admin_dsn, "SELECT FROM mark_revisions WHERE school_id = $1", school.school_id)
    assert not await query(clone.admin_dsn, "SELECT FROM attendance WHERE school_id = $1", school.school_id)


async def test_marks_alone_are_refused_when_the_lesson_is_taken_back_before_they_are_saved(
    world: World, school: School, clone: Clone, between: Any
) -> None:
    teacher, (first, *_) = await world.teacher(school), school.student_ids
    await record(world, teacher, record_class(school, {}, {}))
    statement = "UPDATE lessons SET state = 1, attendance_revision = 0, revision = 2 WHERE school_id = $1"
    said = between(class_record, "save_class", statement)
    answer = await record(world, teacher, record_class(school, {first: 5}, {}))
    # Seen as planned, it is recorded anew with the mark.
    assert (said, answer.lesson.etag) == ([False, True], "L3")


async def test_a_mark_alone_does_not_write_the_lesson(world: World, school: School, clone: Clone) -> None:
    teacher, (first, *_) = await world.teacher(school), school.student_ids
    await record(world, teacher, record_class(school, {}, {}))
    where = "SELECT ctid::text FROM lessons WHERE school_id = $1"
    before = await query(clone.admin_dsn, where, school.school_id)
    await record(world, teacher, record_class(school, {first: 5}, {}))
    assert await query(clone.admin_dsn, where, school.school_id) == before


async def test_a_lesson_planned_meanwhile_at_its_place_is_the_one_that_is_recorded(
    world: World, school: School, between: Any
) -> None:
    teacher, (first, *_) = await world.teacher(school), school.student_ids
    planned = str(uuid4())
    said = between(
        class_record,
        "save_class",
        "INSERT INTO lessons (school_id, lesson_id, course_id, lesson_date, lesson_number, state, revision) "
        f"SELECT $1::uuid, '{planned}', '{school.algebra}', '{TODAY}', 3, 1, 0",
    )
    answer = await record(world, teacher, record_class(school, {first: 5}, {}))
    assert (said, answer.lesson.lesson_id) == ([False, True], planned)
    assert [mark.lesson_id for mark in (await world.page(school, teacher)).marks] == [planned]


async def test_a_withdrawn_lesson_is_recorded_again(world: World, school: School) -> None:
    teacher = await world.teacher(school)
    lesson = await world.lesson(school, teacher)
    taken_back = journal_service_pb2.RetractLessonRequest(
        school_id=school.school_id,
        course_id=school.algebra,
        lesson_id=lesson.lesson_id,
        request_id=str(uuid4()),
        etag=lesson.etag,
        reason="не тот день",
    )
    await world.journal.RetractLesson(taken_back, metadata=teacher.metadata)
    answer = await record(world, teacher, record_class(school, {school.student_ids[0]: 5}, {}))
    assert [one.lesson_id for one in (await world.page(school, teacher)).lessons] == [answer.lesson.lesson_id]


async def test_a_lesson_recorded_for_the_family_is_taken_up_by_the_class(world: World, school: School) -> None:
    teacher, (first, *_) = await world.teacher(school), school.student_ids
    lesson = (await world.journal.RecordLesson(record_lesson(school), metadata=teacher.metadata)).lesson
    answer = await record(world, teacher, record_class(school, {first: 5}, {}))
    assert (answer.lesson.lesson_id, answer.lesson.etag, answer.lesson.attendance_etag) == (lesson.lesson_id, lesson.etag, "A1")
