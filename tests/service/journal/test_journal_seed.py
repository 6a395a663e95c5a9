"""A generated year, and the plans of the hot statements on tables that are large enough to need their indexes."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest_asyncio

from chassis import projection
from chassis.auth import Caller
from diary.access.v1 import relation_pb2, roster_pb2
from diary.options.v1 import options_pb2
from services.journal import commands
from services.journal.config import Settings
from services.journal.diary.store import diary_week
from services.journal.lessons.store import writes
from services.journal.marks.rules.marks import Cell
from services.journal.marks.store import journal_page, marks
from services.journal.roster.consumers import KINDS
from services.journal.seed import seed
from services.journal.seed.copies import copy_schools
from tests.support.backends import Clone
from tests.worlds.journal import NOW, TODAY, World, query, school_entry, student_entry, study_group
from tests.worlds.neighbours import Neighbours

SUBJECTS = ("Русский язык", "Алгебра", "Геометрия", "Физика", "История", "Биология", "Музыка", "Разговоры о важном")
CLASSES, STUDENTS = 6, 20


@dataclass(frozen=True)
class Seeded:
    """A school with a generated year."""

    school_id: str
    teacher_id: UUID


@pytest_asyncio.fixture(scope="module")
async def seeded(world: World, settings: Settings, clone: Clone, neighbours: Neighbours) -> Seeded:
    """The only school of this module."""
    school = Seeded(str(uuid4()), uuid4())
    entries = [roster_pb2.RosterEntry(school=school_entry(school.school_id))]
    for number in range(CLASSES):
        class_id = str(uuid4())
        entry = roster_pb2.RosterEntry()
        getattr(entry, "class").CopyFrom(roster_pb2.RosterClass(class_id=class_id, name=f"8-{number}", grades=[8], version=1))
        students = [str(uuid4()) for _ in range(STUDENTS)]
        entries.append(entry)
        entries += [student_entry(one, f"Ученик {one}", class_id) for one in students]
        entries += [study_group(str(uuid4()), class_id, name, students, is_marked=name != SUBJECTS[-1]) for name in SUBJECTS]
    world.roster.put(school.school_id, *entries)
    for entry in entries:
        if entry.WhichOneof("entry") == "study_group" and entry.study_group.subject_name == "Физика":
            world.roster.put_relation(school.school_id, _teaches(school.teacher_id, entry.study_group.study_group_id))
    await projection.rebuild("journal", settings, neighbours.address, KINDS, None)
    await seed(clone.admin_dsn, world.clock, 1, None)
    return school


def _teaches(account_id: UUID, course_id: str) -> Any:
    relation = relation_pb2.Relation(
        relation_id=str(uuid4()),
        kind=options_pb2.RELATION_COURSE,
        object_id=course_id,
        account_id=str(account_id),
        role=options_pb2.ROLE_TEACHER,
        version=1,
    )
    relation.valid_from_time.FromJsonString("2026-09-01T00:00:00Z")
    return relation


async def test_a_generated_history_fits(seeded: Seeded, clone: Clone) -> None:
    assert await commands.verify_history(clone.admin_dsn, None)


async def test_lessons_before_today_are_held_and_those_of_the_period_planned(seeded: Seeded, clone: Clone) -> None:
    rows = await query(
        clone.admin_dsn,
        "SELECT state, min(lesson_date) AS first, max(lesson_date) AS last FROM lessons GROUP BY state ORDER BY 1",
    )
    assert [(row["state"], row["first"], row["last"]) for row in rows] == [
        (1, TODAY, date(2026, 12, 28)),
        (2, date(2026, 9, 1), date(2026, 11, 17)),
    ]


async def test_of_the_lessons_to_come_those_of_this_week_have_topics_and_some_have_homework(
    seeded: Seeded, clone: Clone
) -> None:
    """A visitor's first screen is filled on a Monday too."""
    near, later = await query(
        clone.admin_dsn,
        """
        SELECT lesson_date > '2026-11-22' AS is_later, count(*) AS lessons, count(nullif(topic, '')) AS topics,
            count(nullif(homework, '')) AS homework, max(state) AS state
        FROM lessons WHERE lesson_date >= '2026-11-18' GROUP BY 1 ORDER BY 1
        """,
    )
    assert (later["topics"], later["homework"]) == (0, 0)
    assert near["topics"] == near["lessons"] > 0
    assert 0.2 * near["lessons"] < near["homework"] < 0.9 * near["lessons"]
    assert near["state"] == later["state"] == 1


async def test_no_student_has_a_gap_and_the_week_begins_with_the_talk(seeded: Seeded, clone: Clone) -> None:
    assert not await query(
        clone.admin_dsn,
        """
        SELECT student_id, lesson_date FROM lessons JOIN course_members USING (school_id, course_id)
        GROUP BY 1, 2 HAVING count(*) <> max(lesson_number) OR count(DISTINCT lesson_number) <> count(*)
        """,
    )
    [row] = await query(
        clone.admin_dsn,
        """
        SELECT array_agg(DISTINCT subject_name) AS subjects, count(*) AS classes
        FROM timetable_slots JOIN courses USING (school_id, course_id) WHERE weekday = 1 AND lesson_number = 1
        """,
    )
    assert (row["subjects"], row["classes"]) == (["Разговоры о важном"], CLASSES)


async def test_no_class_and_no_teacher_is_in_two_places_at_once(seeded: Seeded, clone: Clone) -> None:
    doubled = """
        SELECT {who}, weekday, lesson_number FROM timetable_slots JOIN courses USING (school_id, course_id) {join}
        GROUP BY 1, 2, 3 HAVING count(*) > 1
    """
    assert not await query(clone.admin_dsn, doubled.format(who="class_id", join=""))
    assert not await query(
        clone.admin_dsn, doubled.format(who="account_id", join="JOIN relations r ON r.object_id = courses.course_id")
    )


async def test_marks_stand_as_densely_as_in_a_school(seeded: Seeded, clone: Clone) -> None:
    [row] = await query(
        clone.admin_dsn,
        """
        WITH counts AS (
            SELECT student_id, course_id, count(*) AS n FROM mark_revisions WHERE lesson_date <= '2026-10-25' GROUP BY 1, 2
        )
        SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY n) AS median, percentile_disc(0.9) WITHIN GROUP (ORDER BY n) AS most,
            max(n) AS max, (SELECT avg((code <> 4)::int) FROM attendance) AS missed FROM counts
        """,
    )
    assert 3 <= row["median"] <= 5
    assert 7 <= row["most"] <= 9
    assert row["max"] <= 18


async def test_courses_without_marks_have_none_and_marks_are_of_who_was_there(seeded: Seeded, clone: Clone) -> None:
    assert not await query(
        clone.admin_dsn, "SELECT 1 FROM mark_revisions JOIN courses USING (school_id, course_id) WHERE NOT is_marked LIMIT 1"
    )
    assert not await query(
        clone.admin_dsn,
        "SELECT 1 FROM mark_revisions m JOIN attendance a USING (school_id, lesson_id, student_id) WHERE a.code IN (1, 2, 3)",
    )


async def test_a_second_seed_leaves_the_school_as_it_is(seeded: Seeded, clone: Clone, world: World) -> None:
    digest = "SELECT md5(string_agg(head::text, '' ORDER BY course_id)) AS digest FROM course_chains"
    before = await query(clone.admin_dsn, digest)
    await seed(clone.admin_dsn, world.clock, 2, None)
    assert await query(clone.admin_dsn, digest) == before


@pytest_asyncio.fixture
async def planner(seeded: Seeded, clone: Clone) -> AsyncIterator[Any]:
    """A connection as the service has it, at the school's door, that reads no table whole only because it is small here."""
    connection = await asyncpg.connect(
        clone.app_dsns["journal"], server_settings={"search_path": "journal", "enable_seqscan": "off"}
    )
    await connection.execute("SELECT set_config('diary.school_id', $1, false)", seeded.school_id)
    yield connection
    await connection.close()


async def _indexes(connection: Any, statement: str, *arguments: object) -> set[str]:
    """The indexes by which a statement reads."""
    plan = json.dumps(json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *arguments)))
    assert '"Seq Scan"' not in plan
    return set(re.findall(r'"Index Name": "(\w+)"', plan))


async def test_a_week_is_read_by_its_indexes_alone(planner: Any, seeded: Seeded) -> None:
    [student] = await planner.fetch("SELECT student_id FROM students LIMIT 1")
    question = diary_week.ask_week(student["student_id"], Caller(uuid4(), uuid4(), frozenset()), NOW, TODAY)
    assert await _indexes(planner, question.statement, UUID(seeded.school_id), *question.arguments) >= {
        "students_pkey",
        "course_members_by_student",
        "lessons_one_a_number",
        "mark_revisions_by_student",
        "attendance_by_student",
    }


async def test_marks_are_recorded_by_keys_alone(planner: Any, seeded: Seeded) -> None:
    [lesson] = await planner.fetch("SELECT course_id, lesson_id FROM lessons LIMIT 1")
    call = writes.Call(UUID(seeded.school_id), uuid4(), uuid4(), uuid4(), "RecordMarks", b"", NOW)
    cells = [Cell(uuid4(), lesson["lesson_id"], uuid4(), 5, 0)]
    question = marks.ask_course(call, lesson["course_id"], cells)
    # Of lessons and members a school of this size has as few by course as by key.
    assert await _indexes(planner, question.statement, call.school_id, *question.arguments) >= {"mark_revisions_pkey"}


async def test_a_page_is_read_by_its_indexes_alone(planner: Any, seeded: Seeded) -> None:
    [course] = await planner.fetch("SELECT course_id FROM courses LIMIT 1")
    school_id = UUID(seeded.school_id)
    assert await _indexes(planner, journal_page._GET_PAGE, school_id, course["course_id"], TODAY, TODAY) >= {
        "lessons_one_a_number",
        "mark_revisions_by_course",
        "attendance_by_course",
    }


async def test_a_copied_school_is_a_school_of_its_own(seeded: Seeded, clone: Clone) -> None:
    counted = """
        SELECT school_id, count(DISTINCT m.mark_id) AS marks, count(DISTINCT lesson_id) AS lessons,
            (SELECT count(*) FROM relations r JOIN courses c ON c.school_id = r.school_id AND c.course_id = r.object_id
             WHERE r.school_id = m.school_id) AS teachers
        FROM mark_revisions m JOIN lessons l USING (school_id, lesson_id) GROUP BY school_id
    """
    [original] = await query(clone.admin_dsn, counted)
    await copy_schools(clone.admin_dsn, 1)
    await copy_schools(clone.admin_dsn, 2)
    await copy_schools(clone.admin_dsn, 2)
    schools = await query(clone.admin_dsn, counted)
    assert len(schools) == 3
    assert {tuple(school)[1:] for school in schools} == {tuple(original)[1:]}
    [marks] = await query(clone.admin_dsn, "SELECT count(*) AS all, count(DISTINCT mark_id) AS ids FROM mark_revisions")
    assert marks["all"] == marks["ids"] == 3 * original["marks"]
