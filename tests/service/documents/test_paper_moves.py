"""Who moves, leaves or whose lesson is withdrawn: what the week owes then, and to whom (Clauses R7, R8)."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

from chassis.events import Event
from diary.documents.v1 import events_pb2, print_run_pb2
from tests.worlds.documents import NOW, World
from tests.worlds.families import MONDAY, Families, list_owed, list_terms, print_families


async def test_a_revocation_and_a_move_after_the_week_leave_its_breach(world: World, families: Families) -> None:
    declared = await families.declare(0, "15-Р/2026")
    await families.record_lesson("2026-11-17")
    world.later(timedelta(days=3))
    await families.revoke(declared)
    await families.move(0, "")
    assert await list_terms(world) == [(MONDAY, False, "")]


async def test_a_move_that_is_told_before_an_older_place_stays(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026")
    old = world.roster.get(world.student_ids[0]).student.SerializeToString()
    await families.move(0, str(uuid4()))
    world.roster.get(world.student_ids[0]).student.ParseFromString(old)
    await families.declare(0, "16-Р/2026", declines=True)
    await families.record_lesson("2026-11-17")
    assert await list_terms(world) == []


async def test_who_moves_is_owed_by_the_new_class_from_its_next_week(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026")
    await families.declare(1, "16-Р/2026")
    await families.record_lesson("2026-11-17")
    run = await world.prepare(students=[print_run_pb2.PrintedStudent(student_id=world.student_ids[1])])
    await world.hand_over(run, "WITH_CHILD", 0)
    old, new = world.class_id, str(uuid4())
    await families.move(0, new)
    [(_, is_met, _)] = await list_terms(world)
    assert is_met
    world.class_id = new
    await families.record_lesson("2026-11-24")
    rows = await world.query(
        "SELECT class_id, student_id FROM owed_printouts WHERE school_id = $1 AND monday_date > '2026-11-16'"
    )
    assert [tuple(row) for row in rows] == [(UUID(new), UUID(world.student_ids[0]))]
    world.class_id = old


async def test_who_moves_within_the_week_is_owed_by_the_class_of_its_end_alone(world: World, families: Families) -> None:
    """A move told days before, with no event on the day (decision 0076)."""
    former, new = world.class_id, str(uuid4())
    await families.declare(0, "15-Р/2026")
    await families.move(0, new, date(2026, 11, 21))
    await families.record_lesson("2026-11-19")
    assert await list_terms(world) == []
    world.class_id = new
    await families.record_lesson("2026-11-17")
    world.class_id = former
    assert await list_owed(world) == [(new, MONDAY, 0)]


async def test_the_former_class_owes_the_weeks_before_a_move(world: World, families: Families) -> None:
    new = str(uuid4())
    await families.declare(0, "15-Р/2026")
    await families.move(0, new, date(2026, 11, 23))
    await families.record_lesson("2026-11-19")
    assert await list_owed(world) == [(world.class_id, MONDAY, 0)]
    run = await print_families(world)
    assert [(one.is_owed, run.HasField("due_time")) for one in run.printouts] == [(True, True)]
    former, world.class_id = world.class_id, new
    await families.record_lesson("2026-11-20")
    await families.record_lesson("2026-11-23")
    assert sorted(await list_owed(world), key=lambda one: one[1]) == [(former, MONDAY, 0), (new, "2026-11-23", 0)]
    world.class_id = former


async def test_a_mover_who_declares_on_wednesday_is_owed_by_the_class_of_the_weeks_end(
    world: World, families: Families
) -> None:
    """The lessons were told before the declaration; the former class held some too."""
    former, new = world.class_id, str(uuid4())
    world.later(timedelta(days=-2))
    await families.move(0, new, date(2026, 11, 20))
    for class_id in (former, new):
        world.class_id = class_id
        await families.record_lesson("2026-11-19")
    await families.declare(0, "15-Р/2026", made=world.clock.now())
    world.class_id = former
    assert await list_owed(world) == [(new, MONDAY, 0)]


async def test_who_leaves_on_a_day_of_the_week_is_owed_nothing_of_it_and_the_sheet_is_not_missing(
    world: World, families: Families
) -> None:
    await families.declare(0, "15-Р/2026")
    await families.declare(1, "16-Р/2026")
    await families.record_lesson("2026-11-17")
    run = await print_families(world)
    assert [one.is_owed for one in run.printouts] == [True, True]
    await families.move(0, "", date(2026, 11, 21))
    run = await world.hand_over(run, "WITH_CHILD", 1)
    assert ([one.is_owed for one in run.printouts], run.HasField("met_time")) == ([False, True], True)


async def test_a_week_emptied_by_a_withdrawal_owes_no_sheet_and_its_term_is_taken_back(
    world: World, families: Families
) -> None:
    """Clause R7: what a lesson recorded by mistake began is undone, until a lesson is held after all."""
    lesson_id = str(uuid4())
    await families.declare(0, "15-Р/2026")
    recorded = await families.record_lesson("2026-11-17", lesson_id)
    run = await print_families(world)
    assert (await list_terms(world), run.HasField("due_time")) == ([(MONDAY, False, "")], True)
    world.later(timedelta(minutes=5))
    await families.retract_lesson("2026-11-17", lesson_id)
    assert (await list_terms(world), await list_owed(world)) == ([], [])
    await families.declare(1, "16-Р/2026")
    assert await list_terms(world) == []
    run = await world.hand_over(run, "WITH_CHILD", 0)
    assert (run.HasField("due_time"), run.printouts[0].is_owed, await list_terms(world)) == (False, False, [])
    # An event that was told once more, late, brings nothing back.
    late = Event(uuid4(), recorded.subject, recorded.school_id, recorded.fact_time, recorded.payload)
    await families.consumers.on_lesson_recorded(late)
    assert await list_terms(world) == []
    world.later(timedelta(minutes=5))
    await families.record_lesson("2026-11-17", lesson_id)
    assert (await list_terms(world), await list_owed(world)) == (
        [(MONDAY, False, "")],
        [(world.class_id, MONDAY, 0), (world.class_id, MONDAY, 1)],
    )
    told = await world.query(
        "SELECT payload FROM outbox WHERE school_id = $1 AND subject LIKE '%DeadlineChanged' ORDER BY event_number"
    )
    changes = [events_pb2.DeadlineChanged.FromString(row["payload"]) for row in told]
    assert [(one.is_void, one.HasField("met_time")) for one in changes] == [(False, False), (True, False), (False, False)]


async def test_a_withdrawal_takes_back_what_no_other_lesson_owes(world: World, families: Families) -> None:
    """Declared on Wednesday: the lesson of Thursday was withdrawn, that of Tuesday stays."""
    thursday = str(uuid4())
    await families.declare(0, "15-Р/2026")
    await families.declare(1, "16-Р/2026", made=NOW - timedelta(days=2))
    await families.record_lesson("2026-11-17")
    await families.record_lesson("2026-11-19", thursday)
    assert len(await list_owed(world)) == 2
    run = await print_families(world)
    assert not (await world.hand_over(run, "WITH_CHILD", 0)).HasField("met_time")
    world.later(timedelta(minutes=5))
    await families.retract_lesson("2026-11-19", thursday)
    assert await list_owed(world) == [(world.class_id, MONDAY, 0)]
    assert [is_met for _, is_met, _ in await list_terms(world)] == [True]


async def test_a_lesson_that_moves_to_another_week_is_owed_there_alone(world: World, families: Families) -> None:
    lesson_id = str(uuid4())
    await families.declare(0, "15-Р/2026")
    await families.record_lesson("2026-11-17", lesson_id)
    world.later(timedelta(minutes=5))
    await families.record_lesson("2026-11-24", lesson_id)
    assert await list_terms(world) == [("2026-11-23", False, "")]


async def test_a_withdrawal_that_is_told_before_its_lesson_stays(world: World, families: Families) -> None:
    lesson_id = str(uuid4())
    await families.declare(0, "15-Р/2026")
    recorded = world.lesson_recorded("2026-11-17", lesson_id)
    world.later(timedelta(minutes=5))
    await families.retract_lesson("2026-11-17", lesson_id)
    await families.consumers.on_lesson_recorded(recorded)
    assert await list_terms(world) == []


async def test_a_week_begun_before_lessons_were_kept_one_by_one_only_grows(world: World, families: Families) -> None:
    """What a withdrawn lesson alone owed, nobody knows: the term stays, and so does what a revocation has closed."""
    lessons = [str(uuid4()) for _ in range(2)]
    declared = await families.declare(0, "15-Р/2026")
    for lesson_id in lessons:
        await families.record_lesson("2026-11-17", lesson_id)
    await world.query("UPDATE lesson_weeks SET lesson_count = NULL WHERE school_id = $1")
    world.later(timedelta(minutes=5))
    await families.retract_lesson("2026-11-17", lessons[0])
    assert await list_terms(world) == [(MONDAY, False, "")]
    await families.revoke(declared)
    await families.retract_lesson("2026-11-17", lessons[1])
    assert await list_terms(world) == [(MONDAY, True, declared)]


async def test_a_family_that_leaves_is_owed_nothing(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026")
    await families.record_lesson("2026-11-17")
    await families.move(0, "")
    assert [is_met for _, is_met, _ in await list_terms(world)] == [True]
