"""The projection of access's roster: by events over a real NATS and by rebuild, whatever order they come in."""

from datetime import date
from uuid import UUID, uuid4

from chassis import events, projection
from chassis.clock import SetClock
from diary.access.v1 import events_pb2, roster_pb2
from services.journal.config import Settings
from services.journal.roster.consumers import KINDS
from tests.support.backends import Clone
from tests.support.eventually import eventually
from tests.worlds.journal import NOW, School, World, query, school_entry, study_group
from tests.worlds.neighbours import Neighbours

GROUP = roster_pb2.ROSTER_KIND_STUDY_GROUP


def changed(school: School, kind: roster_pb2.RosterKind.ValueType, *ids: str) -> events.Event:
    message = events_pb2.RosterChanged(school_id=school.school_id, kind=kind, ids=ids)
    subject = message.DESCRIPTOR.full_name
    return events.Event(uuid4(), subject, UUID(school.school_id), NOW, message.SerializeToString())


async def test_an_event_brings_what_the_roster_now_says(world: World, school: School, clone: Clone) -> None:
    kept = projection.Projection(world.database, world.clock, world.roster_stub, KINDS)
    world.roster.put(
        school.school_id, study_group(school.algebra, school.class_id, "Алгебра и начала", school.student_ids[:2], version=2)
    )
    await kept.on_roster_changed(changed(school, GROUP, school.algebra))
    [course] = await query(clone.admin_dsn, "SELECT subject_name, version FROM courses WHERE course_id = $1", school.algebra)
    assert tuple(course) == ("Алгебра и начала", 2)
    members = await query(
        clone.admin_dsn,
        "SELECT student_id::text AS id FROM course_members WHERE course_id = $1 AND (to_date IS NULL OR to_date >= from_date)",
        school.algebra,
    )
    assert {row["id"] for row in members} == set(school.student_ids[:2])


async def test_who_is_no_longer_a_member_keeps_a_row_and_sees_the_lesson_no_more(
    world: World, school: School, clone: Clone
) -> None:
    teacher, student = await world.teacher(school), school.student_ids[4]
    mother = await world.guardian(school, student)
    await world.lesson(school, teacher)
    assert len((await world.week(school, student, mother)).lessons) == 1
    world.roster.put(
        school.school_id, study_group(school.algebra, school.class_id, "Алгебра", school.student_ids[:2], version=2)
    )
    await world.load(school)
    assert not (await world.week(school, student, mother)).lessons
    rows = await query(
        clone.admin_dsn,
        "SELECT to_date < from_date AS never FROM course_members WHERE student_id = $1 AND course_id = $2",
        student,
        school.algebra,
    )
    assert [row["never"] for row in rows] == [True]


async def test_an_event_handled_before_changes_nothing(world: World, school: School, clone: Clone) -> None:
    kept = projection.Projection(world.database, world.clock, world.roster_stub, KINDS)
    event = changed(school, GROUP, school.algebra)
    await kept.on_roster_changed(event)
    world.roster.put(school.school_id, study_group(school.algebra, school.class_id, "Позже", school.student_ids, version=5))
    await kept.on_roster_changed(event)
    [course] = await query(clone.admin_dsn, "SELECT version FROM courses WHERE course_id = $1", school.algebra)
    assert course["version"] == 1


async def test_a_lower_version_never_overwrites_a_higher_one(world: World, school: School, clone: Clone) -> None:
    for version, subject in ((7, "Новее"), (6, "Старее"), (7, "Та же")):
        world.roster.put(
            school.school_id,
            study_group(school.algebra, school.class_id, subject, school.student_ids[:version], version=version),
            roster_pb2.RosterEntry(school=school_entry(school.school_id, version, mark_min=1 if version == 7 else 2)),
        )
        await world.load(school)
    [course] = await query(clone.admin_dsn, "SELECT subject_name FROM courses WHERE course_id = $1", school.algebra)
    [row] = await query(clone.admin_dsn, "SELECT mark_min FROM schools WHERE school_id = $1", school.school_id)
    assert (course["subject_name"], row["mark_min"]) == ("Новее", 1)


async def test_a_school_comes_with_its_quarters_and_work_types_once(world: World, school: School, clone: Clone) -> None:
    world.roster.put(school.school_id, roster_pb2.RosterEntry(school=school_entry(school.school_id, 2)))
    await world.load(school)
    periods = await query(
        clone.admin_dsn, "SELECT name, start_date FROM periods WHERE school_id = $1 ORDER BY start_date", school.school_id
    )
    assert [tuple(row) for row in periods][:2] == [("1 четверть", date(2026, 9, 1)), ("2 четверть", date(2026, 11, 5))]
    assert len(periods) == 4
    work_types = await query(
        clone.admin_dsn, "SELECT name, weight FROM work_types WHERE school_id = $1 ORDER BY list_number", school.school_id
    )
    assert [tuple(row) for row in work_types][::10] == [("контрольная работа", 200), ("домашняя работа", 50)]


async def test_a_renamed_subject_shows_in_weeks_that_were_encoded_before(world: World, school: School) -> None:
    teacher, student = await world.teacher(school), school.student_ids[0]
    mother = await world.guardian(school, student)
    await world.lesson(school, teacher)
    assert (await world.week(school, student, mother)).lessons[0].card.subject_name == "Алгебра"
    world.roster.put(
        school.school_id, study_group(school.algebra, school.class_id, "Математика", school.student_ids, version=2)
    )
    await world.load(school)
    assert (await world.week(school, student, mother)).lessons[0].card.subject_name == "Математика"


async def test_an_event_over_nats_reaches_the_serving_journal(world: World, school: School, clone: Clone) -> None:
    course_id = str(uuid4())
    world.roster.put(school.school_id, study_group(course_id, school.class_id, "Физика", school.student_ids))
    await world.publish(changed(school, GROUP, course_id))

    async def has_come() -> bool:
        return bool(await query(clone.admin_dsn, "SELECT 1 FROM courses WHERE course_id = $1", course_id))

    await eventually(has_come, why="the course of the event")


async def test_rebuild_of_all_reads_every_school(
    world: World, settings: Settings, clone: Clone, neighbours: Neighbours, clock: SetClock
) -> None:
    school_id, course_id = str(uuid4()), str(uuid4())
    world.roster.put(
        school_id,
        roster_pb2.RosterEntry(school=school_entry(school_id)),
        study_group(course_id, "", "Хор", [str(uuid4())]),
    )
    await projection.rebuild("journal", settings, neighbours.address, KINDS, None)
    assert await query(clone.admin_dsn, "SELECT 1 FROM courses WHERE course_id = $1 AND class_id IS NULL", course_id)
