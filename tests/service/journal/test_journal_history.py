"""verify-history: what is changed behind the service's back is named."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from services.journal import commands
from tests.support.backends import Clone
from tests.worlds.journal import School, World, cell, query, record_marks

MARKS = 3


async def recorded(world: World, school: School) -> list[str]:
    """Marks in two batches, the last of them changed once; returns their ids in order."""
    teacher, mark_ids = await world.teacher(school), sorted(str(uuid4()) for _ in range(MARKS))
    lesson = await world.lesson(school, teacher)
    cells = [
        cell(lesson.lesson_id, student, 2, mark_id=mark_id)
        for student, mark_id in zip(school.student_ids, mark_ids, strict=False)
    ]
    await world.journal.RecordMarks(record_marks(school, *cells), metadata=teacher.metadata)
    again = cell(lesson.lesson_id, school.student_ids[2], 5, mark_id=mark_ids[2], expected_revision=1)
    await world.journal.RecordMarks(record_marks(school, again), metadata=teacher.metadata)
    return mark_ids


async def verify(clone: Clone, school: School, capsys: pytest.CaptureFixture[str]) -> tuple[bool, str]:
    capsys.readouterr()
    fits = await commands.verify_history(clone.admin_dsn, UUID(school.school_id))
    return fits, capsys.readouterr().out


async def test_a_history_written_by_the_service_fits(
    world: World, school: School, clone: Clone, capsys: pytest.CaptureFixture[str]
) -> None:
    await recorded(world, school)
    assert (await verify(clone, school, capsys))[0]


# The statement of someone with the database in hand, $1 being the second mark; and what is named.
TAMPERING = [
    ("UPDATE mark_revisions SET value = 5 WHERE mark_id = $1", "mark {1}, revision 1: the row was changed or put in"),
    ("UPDATE mark_revisions SET salt = '\\x00' WHERE mark_id = $1", "mark {1}, revision 1: the row was changed"),
    ("UPDATE mark_revisions SET reason = 'x' WHERE mark_id = $1", "mark {1}, revision 1: the row was changed"),
    ("DELETE FROM mark_revisions WHERE mark_id = $1", "batch 1: row 2 of the batch is missing"),
    (
        "INSERT INTO mark_revisions SELECT school_id, gen_random_uuid(), 1, lesson_id, course_id, "
        "student_id, lesson_date, 5, 1, salt, NULL FROM mark_revisions WHERE mark_id = $1",
        "the row was changed or put in",
    ),
    (
        "UPDATE mark_batches SET account_id = $1 WHERE batch_number = 1 AND course_id = {course}",
        "batch 1: the batch was changed",
    ),
    (
        "DELETE FROM mark_batches WHERE batch_number = 1 AND course_id = {course}",
        "batch 1: the batch is missing",
    ),
    (
        "DELETE FROM mark_batches WHERE batch_number = 2 AND course_id = {course}",
        "batch 2: the batch is missing",
    ),
    (
        "UPDATE course_chains SET seq = 1 WHERE course_id = {course}",
        "batch 2: the batch is past the chain's end",
    ),
    (
        "UPDATE course_chains SET head = '\\x00' WHERE course_id = {course}",
        "the chain's head was changed",
    ),
]


@pytest.mark.parametrize(("statement", "named"), TAMPERING)
async def test_tampering_is_named(
    world: World, school: School, clone: Clone, capsys: pytest.CaptureFixture[str], statement: str, named: str
) -> None:
    mark_ids: Sequence[str] = await recorded(world, school)
    course = "(SELECT course_id FROM mark_revisions WHERE mark_id = $1)"
    await query(clone.admin_dsn, statement.replace("{course}", course), mark_ids[1])
    fits, said = await verify(clone, school, capsys)
    assert not fits
    assert named.format(*mark_ids) in said
    assert school.algebra in said


async def test_a_school_without_marks_fits(
    world: World, school: School, clone: Clone, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await verify(clone, school, capsys) == (True, f"verify-history: school {school.school_id}: 3 courses fit\n")
