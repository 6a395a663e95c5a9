"""Whom the week's term of a class owes, and what meets it (Clauses R7, R8)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from chassis.db import Database
from chassis.deadlines.store import count_open_deadlines
from diary.documents.v1 import events_pb2, print_run_pb2
from tests.support.services import instant
from tests.worlds.documents import NOW, World
from tests.worlds.families import MONDAY, Families, list_terms, print_families


async def test_a_lesson_opens_the_term_of_a_class_with_a_family_on_paper(world: World, families: Families) -> None:
    await families.record_lesson("2026-11-17")
    assert await list_terms(world) == []
    await families.declare(0, "15-Р/2026")
    for day in ("2026-11-17", "2026-11-18"):
        await families.record_lesson(day)
    assert await list_terms(world) == [(MONDAY, False, "")]
    told = await world.query("SELECT payload FROM outbox WHERE school_id = $1 AND subject LIKE '%DeadlineChanged'")
    [event] = [events_pb2.DeadlineChanged.FromString(row["payload"]) for row in told]
    assert event.due_time.ToJsonString() == "2026-11-22T21:00:00Z"


async def test_a_lesson_recorded_with_its_class_opens_the_term_as_well(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026")
    await families.consumers.on_class_recorded(world.class_recorded())
    assert await list_terms(world) == []
    await families.consumers.on_class_recorded(world.class_recorded("2026-11-17"))
    assert await list_terms(world) == [(MONDAY, False, "")]


async def test_a_class_that_nobody_printed_is_overdue(world: World, families: Families) -> None:
    database = await Database.connect(world.clone.app_dsns["documents"], "documents", size=1)

    async def overdue(now: datetime) -> int:
        async with database.jobs() as connection:
            return sum(late for _, _, late in await count_open_deadlines(connection, now))

    sunday, monday = instant("2026-11-22T20:59:00Z"), instant("2026-11-22T21:01:00Z")
    before = await overdue(sunday), await overdue(monday)
    await families.declare(0, "15-Р/2026")
    lesson_id = str(uuid4())
    await families.record_lesson("2026-11-17", lesson_id)
    assert (await overdue(sunday), await overdue(monday)) == (before[0], before[1] + 1)
    await families.retract_lesson("2026-11-17", lesson_id)
    assert await overdue(monday) == before[1]
    await database.close()


async def test_printing_for_one_family_does_not_meet_what_is_owed_to_another(world: World, families: Families) -> None:
    for place, number in ((0, "15-Р/2026"), (1, "16-Р/2026")):
        await families.declare(place, number)
    await families.record_lesson("2026-11-17")
    run = await world.prepare(students=[print_run_pb2.PrintedStudent(student_id=world.student_ids[0])])
    assert not (await world.hand_over(run, "WITH_CHILD", 0)).HasField("met_time")
    both = await print_families(world)
    assert (await world.hand_over(both, "WITH_CHILD", 1)).HasField("met_time")


async def test_the_week_of_a_declaration_is_owed_while_a_lesson_of_it_remains(world: World, families: Families) -> None:
    """Clause R7: declared on Wednesday; what was held by Wednesday owes nothing, Thursday's lesson does."""
    await families.declare(0, "15-Р/2026", made=NOW - timedelta(days=2))
    for day in ("2026-11-12", "2026-11-17", "2026-11-18"):
        await families.record_lesson(day)
    assert await list_terms(world) == []
    await families.record_lesson("2026-11-19")
    assert await list_terms(world) == [(MONDAY, False, "")]


async def test_a_declaration_that_is_told_after_the_lessons_is_owed_as_if_before(world: World, families: Families) -> None:
    await families.record_lesson("2026-11-19")
    await families.declare(0, "15-Р/2026", made=NOW - timedelta(days=2))
    assert await list_terms(world) == [(MONDAY, False, "")]


async def test_printing_begins_no_term_and_what_was_printed_for_nobody_on_paper_is_owed_to_nobody(
    world: World, families: Families
) -> None:
    """Staff A4: a printing for a parents' meeting, and of a week before the declaration, makes no breach."""
    await world.prepare()
    await families.declare(0, "15-Р/2026", made=NOW)
    run = await print_families(world)
    await families.record_lesson("2026-11-17")
    assert await list_terms(world) == []
    [sheet] = run.printouts
    assert (run.HasField("due_time"), run.HasField("met_time"), sheet.is_owed) == (False, False, False)


async def test_sheets_of_others_neither_keep_a_term_open_nor_meet_it(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026")
    await families.record_lesson("2026-11-17")
    run = await world.prepare()
    assert [one.is_owed for one in run.printouts] == [True, False, False]
    assert not (await world.hand_over(run, "WITH_CHILD", 1, 2)).HasField("met_time")
    assert (await world.hand_over(run, "WITH_CHILD", 0)).HasField("met_time")
    more = await world.prepare()
    assert more.HasField("met_time")
    assert [one.is_replaced for one in more.printouts] == [True, True, True]


async def test_a_reprint_replaces_and_what_is_given_in_either_run_is_given(world: World, families: Families) -> None:
    """Staff A4 d."""
    await families.declare(0, "15-Р/2026")
    await families.record_lesson("2026-11-17")
    first, second = await print_families(world), await print_families(world)
    request = print_run_pb2.ListPrintRunsRequest(school_id=world.school_id, class_id=world.class_id)

    async def replaced() -> list[bool]:
        answer = await world.documents.ListPrintRuns(request, metadata=world.teacher)
        return [run.printouts[0].is_replaced for run in answer.print_runs]

    assert await replaced() == [False, True]
    await world.hand_over(first, "WITH_CHILD", 0)
    assert await replaced() == [True, True]
    assert [met for _, met, _ in await list_terms(world)] == [True]
    await world.hand_over(first, "NOT_HANDED_OVER", 0, note="вернулся")
    await world.hand_over(second, "WITH_CHILD", 0)
    assert [met for _, met, _ in await list_terms(world)] == [True]


async def test_what_was_given_before_the_lesson_was_told_meets_the_term_at_once(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026")
    await world.hand_over(await print_families(world), "WITH_CHILD", 0)
    await families.record_lesson("2026-11-20")
    [(_, is_met, evidence)] = await list_terms(world)
    [record] = await world.query("SELECT hand_over_id::text FROM hand_overs WHERE school_id = $1")
    assert (is_met, evidence) == (True, record["hand_over_id"])


async def test_who_declares_anew_after_all_was_ended_opens_the_term_again(world: World, families: Families) -> None:
    mother = str(uuid4())
    first = await families.declare(0, "15-Р/2026", guardian_id=mother)
    await families.record_lesson("2026-11-17")
    await families.revoke(first)
    assert await list_terms(world) == [(MONDAY, True, first)]
    await families.declare(0, "16-Р/2026", guardian_id=mother, made=NOW)
    await families.record_lesson("2026-11-21")
    assert await list_terms(world) == [(MONDAY, False, "")]


async def test_a_declaration_renewed_within_the_week_is_owed_as_before(world: World, families: Families) -> None:
    mother = str(uuid4())
    first = await families.declare(0, "15-Р/2026", guardian_id=mother)
    world.later(timedelta(days=-1))
    await families.revoke(first)
    await families.declare(0, "16-Р/2026", made=NOW - timedelta(days=1), guardian_id=mother)
    await families.record_lesson("2026-11-17")
    assert await list_terms(world) == [(MONDAY, False, "")]


async def test_a_term_that_owes_nothing_any_more_is_closed_by_the_revocation(world: World, families: Families) -> None:
    declared = await families.declare(0, "15-Р/2026")
    other = await families.declare(1, "16-Р/2026")
    await families.record_lesson("2026-11-17")
    await families.revoke(declared)
    assert await list_terms(world) == [(MONDAY, False, "")]
    await families.revoke(other)
    assert await list_terms(world) == [(MONDAY, True, other)]
    await families.record_lesson("2026-11-24")
    assert len(await list_terms(world)) == 1


async def test_a_sheet_is_owed_no_more_once_its_family_revoked_within_the_week(world: World, families: Families) -> None:
    first = await families.declare(0, "15-Р/2026")
    await families.declare(1, "16-Р/2026")
    await families.record_lesson("2026-11-17")
    run = await print_families(world)
    await families.revoke(first)
    run = await world.hand_over(run, "WITH_CHILD", 1)
    assert ([one.is_owed for one in run.printouts], run.HasField("met_time")) == ([False, True], True)


async def test_a_class_printed_for_by_its_families_has_no_term_when_all_revoked(world: World, families: Families) -> None:
    declared = await families.declare(0, "15-Р/2026")
    await world.hand_over(await print_families(world), "WITH_CHILD", 0)
    await families.revoke(declared)
    await families.record_lesson("2026-11-24")
    assert await list_terms(world) == []
