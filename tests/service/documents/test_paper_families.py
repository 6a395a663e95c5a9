"""The families informed on paper: who is printed for, with which numbers, and whom the week's term owes (Clauses R7, R8)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest_asyncio

from chassis.auth import ServiceToken
from chassis.clients import connect
from chassis.clock import SystemClock
from chassis.db import Database
from chassis.deadlines.store import count_open_deadlines
from chassis.events import Event
from chassis.projection import rebuild_school
from diary.access.v1 import application_pb2, roster_service_pb2_grpc
from diary.documents.v1 import events_pb2, print_run_pb2
from services.documents.print_runs.consumers import KINDS, Consumers
from tests.service.documents.families import Families
from tests.service.documents.world import NAMES, NOW, WEEK, World
from tests.support.papers import needs_poppler, read_texts
from tests.support.services import instant, refused

MONDAY = "2026-11-16"
NOBODY = (grpc.StatusCode.FAILED_PRECONDITION, "NO_PAPER_FAMILIES")


@pytest_asyncio.fixture
async def families(world: World, consumers: Consumers) -> Families:
    """The families of the class, none of them on paper."""
    return Families(world, consumers)


async def _print_families(world: World, week: str = WEEK) -> print_run_pb2.PrintRun:
    return await world.prepare(week, audience=print_run_pb2.PRINT_AUDIENCE_PAPER_FAMILIES)


async def _terms(world: World) -> list[tuple[str, bool, str]]:
    rows = await world.query(
        "SELECT monday_date::text, met_time IS NOT NULL AS met, evidence FROM deadlines"
        " WHERE school_id = $1 AND NOT is_void ORDER BY 1"
    )
    return [tuple(row) for row in rows]


async def _owed(world: World) -> list[tuple[str, str, int]]:
    """Class, Monday and place of the student, of whom weeks owe a sheet."""
    rows = await world.query(
        "SELECT class_id::text, monday_date::text, student_id::text FROM owed_printouts"
        " WHERE school_id = $1 AND is_owed ORDER BY monday_date, class_id"
    )
    return sorted((row[0], row[1], world.student_ids.index(row[2])) for row in rows)


def _printed(run: print_run_pb2.PrintRun) -> dict[str, str]:
    return {printout.student_name: printout.declaration_number for printout in run.printouts}


async def test_the_families_on_paper_are_printed_for_and_nobody_else(world: World, families: Families) -> None:
    assert await refused(_print_families(world)) == NOBODY
    await families.declare(2, "15-Р/2026")
    await families.declare(0, "16-Р/2026")
    await families.declare(1, "17-Р/2026", declines=True)
    run = await _print_families(world)
    assert _printed(run) == {NAMES[0]: "16-Р/2026", NAMES[2]: "15-Р/2026"}
    assert [printout.sheet_number for printout in run.printouts] == [1, 2]


async def test_a_family_that_was_refused_takes_no_number(world: World, families: Families) -> None:
    assert await refused(_print_families(world)) == NOBODY
    assert await world.query("SELECT 1 FROM counters WHERE school_id = $1") == []


@needs_poppler
async def test_of_two_declaring_parents_each_gets_a_sheet_in_their_own_name(world: World, families: Families) -> None:
    """Clause R7: they may live apart; who was handed which sheet is proved."""
    await families.declare(1, "15-Р/2026", made=NOW - timedelta(days=31), name="Белова Ольга Юрьевна")
    await families.declare(1, "16-Р/2026", name="Белов Олег Ильич")
    run = await _print_families(world)
    assert [(one.recipient_name, one.declaration_number) for one in run.printouts] == [
        ("Белова Ольга Юрьевна", "15-Р/2026"),
        ("Белов Олег Ильич", "16-Р/2026"),
    ]
    sheets, register = [" ".join(text.split()) for text in read_texts(await world.download(run))]
    assert sheets.count("заявление № 15‑Р/2026") == sheets.count("заявление № 16‑Р/2026") == 1
    assert "Классный руководитель: Петрова Наталья Ивановна" in sheets
    for name in ("Белова Ольга Юрьевна", "Белов Олег Ильич"):
        assert f"получил(а) {name}:" in sheets
        assert all(word in register for word in name.split())
    await families.record_lesson("2026-11-20")
    assert await _terms(world) == [(MONDAY, False, "")]
    await world.hand_over(run, "WITH_CHILD", 0)
    assert await _terms(world) == [(MONDAY, False, "")]
    run = await world.hand_over(run, "IN_PERSON", 1)
    assert run.HasField("met_time")
    assert {one.hand_over.account_id for one in run.printouts} == {str(world.last_account_id)}


@needs_poppler
async def test_a_sheet_keeps_how_its_guardian_asked_for_it(world: World, families: Families) -> None:
    """Clause R7, staff B2: the register proposes it; what another way is no other family reads on it."""
    mother = str(uuid4())
    ways = application_pb2
    await families.declare(0, "14-Р/2026", name="Абрамова Ирина Павловна")
    await families.declare(1, "15-Р/2026", guardian_id=mother, way=ways.PRINTOUT_WAY_WITH_CHILD, made=NOW - timedelta(days=31))
    await families.declare(1, "16-Р/2026", guardian_id=mother, way=ways.PRINTOUT_WAY_IN_PERSON, name="Белова Ольга Юрьевна")
    await families.declare(2, "17-Р/2026", way=ways.PRINTOUT_WAY_OTHER, way_note="через брата из 5-Б")
    run = await _print_families(world)
    assert [(one.wanted_channel, one.wanted_note) for one in run.printouts] == [
        (print_run_pb2.HAND_OVER_CHANNEL_UNSPECIFIED, ""),
        (print_run_pb2.HAND_OVER_CHANNEL_IN_PERSON, ""),
        (print_run_pb2.HAND_OVER_CHANNEL_OTHER, "через брата из 5-Б"),
    ]
    *sheets, register = [" ".join(text.split()) for text in read_texts(await world.download(run))]
    assert (register.count("просит"), register.count("лично"), register.count("иначе")) == (2, 2, 1)
    assert "просит" not in " ".join(sheets)
    assert "брата" not in " ".join([*sheets, register])


async def test_two_declarations_of_one_guardian_make_one_sheet(world: World, families: Families) -> None:
    mother = str(uuid4())
    for days, number in ((31, "15-Р/2026"), (30, "16-Р/2026")):
        await families.declare(1, number, made=NOW - timedelta(days=days), guardian_id=mother)
    assert _printed(await _print_families(world)) == {NAMES[1]: "15-Р/2026, 16-Р/2026"}


async def test_one_parent_on_paper_is_enough_and_one_who_declines_leaves_the_other(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026", declines=True)
    mothers = await families.declare(0, "16-Р/2026")
    assert _printed(await _print_families(world)) == {NAMES[0]: "16-Р/2026"}
    await families.revoke(mothers)
    assert await refused(_print_families(world)) == NOBODY


async def test_a_declared_number_stands_on_any_sheet_and_a_given_one_where_none_is_known(
    world: World, families: Families
) -> None:
    await families.declare(1, "15-Р/2026")
    assert _printed(await world.prepare()) == {NAMES[0]: "", NAMES[1]: "15-Р/2026", NAMES[2]: ""}
    chosen = [print_run_pb2.PrintedStudent(student_id=world.student_ids[1])]
    assert _printed(await world.prepare(students=chosen)) == {NAMES[1]: "15-Р/2026"}
    chosen += [print_run_pb2.PrintedStudent(student_id=world.student_ids[2])]
    for one in chosen:
        one.declaration_number = "17-Б"
    assert _printed(await world.prepare(students=chosen)) == {NAMES[1]: "15-Р/2026", NAMES[2]: "17-Б"}


async def test_students_are_not_chosen_beside_the_paper_families(world: World, families: Families) -> None:
    await families.declare(1, "15-Р/2026")
    chosen = [print_run_pb2.PrintedStudent(student_id=world.student_ids[1])]
    call = world.prepare(students=chosen, audience=print_run_pb2.PRINT_AUDIENCE_PAPER_FAMILIES)
    assert await refused(call) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")


async def test_a_revocation_that_is_told_before_the_declaration_stays(world: World, families: Families) -> None:
    declared = await families.declare(0, "15-Р/2026")
    early = await families.tell(declared)
    old = world.neighbours.roster[declared].paper_declaration.SerializeToString()
    await families.revoke(declared)
    world.neighbours.roster[declared].paper_declaration.ParseFromString(old)
    await families.tell(declared)
    await families.repeat(early)
    assert await refused(_print_families(world)) == NOBODY


async def test_another_schools_family_is_nobody_here(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026")
    week = world.neighbours.weeks[world.class_id, WEEK]
    await world.begin(str(uuid4()))
    world.neighbours.weeks[world.class_id, WEEK] = week
    assert await refused(_print_families(world)) == NOBODY


async def test_a_lesson_opens_the_term_of_a_class_with_a_family_on_paper(world: World, families: Families) -> None:
    await families.record_lesson("2026-11-17")
    assert await _terms(world) == []
    await families.declare(0, "15-Р/2026")
    for day in ("2026-11-17", "2026-11-18"):
        await families.record_lesson(day)
    assert await _terms(world) == [(MONDAY, False, "")]
    told = await world.query("SELECT payload FROM outbox WHERE school_id = $1 AND subject LIKE '%DeadlineChanged'")
    [event] = [events_pb2.DeadlineChanged.FromString(row["payload"]) for row in told]
    assert event.due_time.ToJsonString() == "2026-11-22T21:00:00Z"


async def test_a_lesson_recorded_with_its_class_opens_the_term_as_well(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026")
    await families.consumers.on_class_recorded(world.class_recorded())
    assert await _terms(world) == []
    await families.consumers.on_class_recorded(world.class_recorded("2026-11-17"))
    assert await _terms(world) == [(MONDAY, False, "")]


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
    both = await _print_families(world)
    assert (await world.hand_over(both, "WITH_CHILD", 1)).HasField("met_time")


async def test_the_week_of_a_declaration_is_owed_while_a_lesson_of_it_remains(world: World, families: Families) -> None:
    """Clause R7: declared on Wednesday; what was held by Wednesday owes nothing, Thursday's lesson does."""
    await families.declare(0, "15-Р/2026", made=NOW - timedelta(days=2))
    for day in ("2026-11-12", "2026-11-17", "2026-11-18"):
        await families.record_lesson(day)
    assert await _terms(world) == []
    await families.record_lesson("2026-11-19")
    assert await _terms(world) == [(MONDAY, False, "")]


async def test_a_declaration_that_is_told_after_the_lessons_is_owed_as_if_before(world: World, families: Families) -> None:
    await families.record_lesson("2026-11-19")
    await families.declare(0, "15-Р/2026", made=NOW - timedelta(days=2))
    assert await _terms(world) == [(MONDAY, False, "")]


async def test_printing_begins_no_term_and_what_was_printed_for_nobody_on_paper_is_owed_to_nobody(
    world: World, families: Families
) -> None:
    """Staff A4: a printing for a parents' meeting, and of a week before the declaration, makes no breach."""
    await world.prepare()
    await families.declare(0, "15-Р/2026", made=NOW)
    run = await _print_families(world)
    await families.record_lesson("2026-11-17")
    assert await _terms(world) == []
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
    first, second = await _print_families(world), await _print_families(world)
    request = print_run_pb2.ListPrintRunsRequest(school_id=world.school_id, class_id=world.class_id)

    async def replaced() -> list[bool]:
        answer = await world.documents.ListPrintRuns(request, metadata=world.teacher)
        return [run.printouts[0].is_replaced for run in answer.print_runs]

    assert await replaced() == [False, True]
    await world.hand_over(first, "WITH_CHILD", 0)
    assert await replaced() == [True, True]
    assert [met for _, met, _ in await _terms(world)] == [True]
    await world.hand_over(first, "NOT_HANDED_OVER", 0, note="вернулся")
    await world.hand_over(second, "WITH_CHILD", 0)
    assert [met for _, met, _ in await _terms(world)] == [True]


async def test_what_was_given_before_the_lesson_was_told_meets_the_term_at_once(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026")
    await world.hand_over(await _print_families(world), "WITH_CHILD", 0)
    await families.record_lesson("2026-11-20")
    [(_, is_met, evidence)] = await _terms(world)
    [record] = await world.query("SELECT hand_over_id::text FROM hand_overs WHERE school_id = $1")
    assert (is_met, evidence) == (True, record["hand_over_id"])


async def test_who_declares_anew_after_all_was_ended_opens_the_term_again(world: World, families: Families) -> None:
    mother = str(uuid4())
    first = await families.declare(0, "15-Р/2026", guardian_id=mother)
    await families.record_lesson("2026-11-17")
    await families.revoke(first)
    assert await _terms(world) == [(MONDAY, True, first)]
    await families.declare(0, "16-Р/2026", guardian_id=mother, made=NOW)
    await families.record_lesson("2026-11-21")
    assert await _terms(world) == [(MONDAY, False, "")]


async def test_a_declaration_renewed_within_the_week_is_owed_as_before(world: World, families: Families) -> None:
    mother = str(uuid4())
    first = await families.declare(0, "15-Р/2026", guardian_id=mother)
    world.later(timedelta(days=-1))
    await families.revoke(first)
    await families.declare(0, "16-Р/2026", made=NOW - timedelta(days=1), guardian_id=mother)
    await families.record_lesson("2026-11-17")
    assert await _terms(world) == [(MONDAY, False, "")]


async def test_a_term_that_owes_nothing_any_more_is_closed_by_the_revocation(world: World, families: Families) -> None:
    declared = await families.declare(0, "15-Р/2026")
    other = await families.declare(1, "16-Р/2026")
    await families.record_lesson("2026-11-17")
    await families.revoke(declared)
    assert await _terms(world) == [(MONDAY, False, "")]
    await families.revoke(other)
    assert await _terms(world) == [(MONDAY, True, other)]
    await families.record_lesson("2026-11-24")
    assert len(await _terms(world)) == 1


async def test_a_revocation_and_a_move_after_the_week_leave_its_breach(world: World, families: Families) -> None:
    declared = await families.declare(0, "15-Р/2026")
    await families.record_lesson("2026-11-17")
    world.later(timedelta(days=3))
    await families.revoke(declared)
    await families.move(0, "")
    assert await _terms(world) == [(MONDAY, False, "")]


async def test_a_move_that_is_told_before_an_older_place_stays(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026")
    old = world.neighbours.roster[world.student_ids[0]].student.SerializeToString()
    await families.move(0, str(uuid4()))
    world.neighbours.roster[world.student_ids[0]].student.ParseFromString(old)
    await families.declare(0, "16-Р/2026", declines=True)
    await families.record_lesson("2026-11-17")
    assert await _terms(world) == []


async def test_who_moves_is_owed_by_the_new_class_from_its_next_week(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026")
    await families.declare(1, "16-Р/2026")
    await families.record_lesson("2026-11-17")
    run = await world.prepare(students=[print_run_pb2.PrintedStudent(student_id=world.student_ids[1])])
    await world.hand_over(run, "WITH_CHILD", 0)
    old, new = world.class_id, str(uuid4())
    await families.move(0, new)
    [(_, is_met, _)] = await _terms(world)
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
    assert await _terms(world) == []
    world.class_id = new
    await families.record_lesson("2026-11-17")
    world.class_id = former
    assert await _owed(world) == [(new, MONDAY, 0)]


async def test_the_former_class_owes_the_weeks_before_a_move(world: World, families: Families) -> None:
    new = str(uuid4())
    await families.declare(0, "15-Р/2026")
    await families.move(0, new, date(2026, 11, 23))
    await families.record_lesson("2026-11-19")
    assert await _owed(world) == [(world.class_id, MONDAY, 0)]
    run = await _print_families(world)
    assert [(one.is_owed, run.HasField("due_time")) for one in run.printouts] == [(True, True)]
    former, world.class_id = world.class_id, new
    await families.record_lesson("2026-11-20")
    await families.record_lesson("2026-11-23")
    assert sorted(await _owed(world), key=lambda one: one[1]) == [(former, MONDAY, 0), (new, "2026-11-23", 0)]
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
    assert await _owed(world) == [(new, MONDAY, 0)]


async def test_who_leaves_on_a_day_of_the_week_is_owed_nothing_of_it_and_the_sheet_is_not_missing(
    world: World, families: Families
) -> None:
    await families.declare(0, "15-Р/2026")
    await families.declare(1, "16-Р/2026")
    await families.record_lesson("2026-11-17")
    run = await _print_families(world)
    assert [one.is_owed for one in run.printouts] == [True, True]
    await families.move(0, "", date(2026, 11, 21))
    run = await world.hand_over(run, "WITH_CHILD", 1)
    assert ([one.is_owed for one in run.printouts], run.HasField("met_time")) == ([False, True], True)


async def test_a_sheet_is_owed_no_more_once_its_family_revoked_within_the_week(world: World, families: Families) -> None:
    first = await families.declare(0, "15-Р/2026")
    await families.declare(1, "16-Р/2026")
    await families.record_lesson("2026-11-17")
    run = await _print_families(world)
    await families.revoke(first)
    run = await world.hand_over(run, "WITH_CHILD", 1)
    assert ([one.is_owed for one in run.printouts], run.HasField("met_time")) == ([False, True], True)


async def test_a_week_emptied_by_a_withdrawal_owes_no_sheet_and_its_term_is_taken_back(
    world: World, families: Families
) -> None:
    """Clause R7: what a lesson recorded by mistake began is undone, until a lesson is held after all."""
    lesson_id = str(uuid4())
    await families.declare(0, "15-Р/2026")
    recorded = await families.record_lesson("2026-11-17", lesson_id)
    run = await _print_families(world)
    assert (await _terms(world), run.HasField("due_time")) == ([(MONDAY, False, "")], True)
    world.later(timedelta(minutes=5))
    await families.retract_lesson("2026-11-17", lesson_id)
    assert (await _terms(world), await _owed(world)) == ([], [])
    await families.declare(1, "16-Р/2026")
    assert await _terms(world) == []
    run = await world.hand_over(run, "WITH_CHILD", 0)
    assert (run.HasField("due_time"), run.printouts[0].is_owed, await _terms(world)) == (False, False, [])
    # An event that was told once more, late, brings nothing back.
    late = Event(uuid4(), recorded.subject, recorded.school_id, recorded.fact_time, recorded.payload)
    await families.consumers.on_lesson_recorded(late)
    assert await _terms(world) == []
    world.later(timedelta(minutes=5))
    await families.record_lesson("2026-11-17", lesson_id)
    assert (await _terms(world), await _owed(world)) == (
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
    assert len(await _owed(world)) == 2
    run = await _print_families(world)
    assert not (await world.hand_over(run, "WITH_CHILD", 0)).HasField("met_time")
    world.later(timedelta(minutes=5))
    await families.retract_lesson("2026-11-19", thursday)
    assert await _owed(world) == [(world.class_id, MONDAY, 0)]
    assert [is_met for _, is_met, _ in await _terms(world)] == [True]


async def test_a_lesson_that_moves_to_another_week_is_owed_there_alone(world: World, families: Families) -> None:
    lesson_id = str(uuid4())
    await families.declare(0, "15-Р/2026")
    await families.record_lesson("2026-11-17", lesson_id)
    world.later(timedelta(minutes=5))
    await families.record_lesson("2026-11-24", lesson_id)
    assert await _terms(world) == [("2026-11-23", False, "")]


async def test_a_withdrawal_that_is_told_before_its_lesson_stays(world: World, families: Families) -> None:
    lesson_id = str(uuid4())
    await families.declare(0, "15-Р/2026")
    recorded = world.lesson_recorded("2026-11-17", lesson_id)
    world.later(timedelta(minutes=5))
    await families.retract_lesson("2026-11-17", lesson_id)
    await families.consumers.on_lesson_recorded(recorded)
    assert await _terms(world) == []


async def test_a_week_begun_before_lessons_were_kept_one_by_one_only_grows(world: World, families: Families) -> None:
    """What a withdrawn lesson alone owed, nobody knows: the term stays, and so does what a revocation has closed."""
    lessons = [str(uuid4()) for _ in range(2)]
    declared = await families.declare(0, "15-Р/2026")
    for lesson_id in lessons:
        await families.record_lesson("2026-11-17", lesson_id)
    await world.query("UPDATE lesson_weeks SET lesson_count = NULL WHERE school_id = $1")
    world.later(timedelta(minutes=5))
    await families.retract_lesson("2026-11-17", lessons[0])
    assert await _terms(world) == [(MONDAY, False, "")]
    await families.revoke(declared)
    await families.retract_lesson("2026-11-17", lessons[1])
    assert await _terms(world) == [(MONDAY, True, declared)]


async def test_a_family_that_leaves_is_owed_nothing(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026")
    await families.record_lesson("2026-11-17")
    await families.move(0, "")
    assert [is_met for _, is_met, _ in await _terms(world)] == [True]


async def test_a_class_printed_for_by_its_families_has_no_term_when_all_revoked(world: World, families: Families) -> None:
    declared = await families.declare(0, "15-Р/2026")
    await world.hand_over(await _print_families(world), "WITH_CHILD", 0)
    await families.revoke(declared)
    await families.record_lesson("2026-11-24")
    assert await _terms(world) == []


async def test_a_rebuild_fills_the_projection_from_access(world: World, families: Families) -> None:
    declared = await families.declare(0, "15-Р/2026")
    await world.begin(str(uuid4()))
    again = Families(world, families.consumers)
    world.neighbours.roster[declared].paper_declaration.student_id = world.student_ids[0]
    database = await Database.connect(world.clone.app_dsns["documents"], "documents", size=1)
    token = ServiceToken(world.keys_dir, "documents", SystemClock())
    async with connect(f"127.0.0.1:{world.neighbours.port}", token) as access:
        roster = roster_service_pb2_grpc.RosterServiceStub(access)
        for _ in range(2):
            assert await rebuild_school(database, roster, KINDS, UUID(world.school_id)) > 0
    await database.close()
    assert _printed(await _print_families(world)) == {NAMES[0]: "15-Р/2026"}
    await again.record_lesson("2026-11-19")
    assert len(await _terms(world)) == 1


async def test_whom_a_week_owes_cannot_be_changed_and_nothing_of_the_projection_dropped(world: World) -> None:
    rows: list[Any] = await world.query(
        """
        SELECT DISTINCT table_name, privilege_type FROM information_schema.role_table_grants
        WHERE grantee = 'diary_documents_app' AND table_name IN ('schools', 'students', 'paper_modes', 'owed_printouts')
          AND $1::uuid IS NOT NULL
        """
    )
    assert {row["privilege_type"] for row in rows} == {"SELECT", "INSERT", "UPDATE"}
    assert {row["privilege_type"] for row in rows if row["table_name"] == "owed_printouts"} == {"SELECT", "INSERT"}
