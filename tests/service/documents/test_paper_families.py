"""The families informed on paper: who is printed for, with which numbers, and whom the week's term owes (Clauses R7, R8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import grpc

from chassis.auth import ServiceToken
from chassis.clients import connect
from chassis.db import Database
from chassis.projection import rebuild_school
from diary.access.v1 import application_pb2, roster_service_pb2_grpc
from diary.documents.v1 import print_run_pb2
from services.documents.print_runs.consumers import KINDS
from tests.support.papers import needs_poppler, read_texts
from tests.support.services import refused
from tests.worlds.documents import NAMES, NOW, WEEK, World
from tests.worlds.families import MONDAY, NOBODY, Families, list_terms, numbers_of, print_families


async def test_the_families_on_paper_are_printed_for_and_nobody_else(world: World, families: Families) -> None:
    assert await refused(print_families(world)) == NOBODY
    await families.declare(2, "15-Р/2026")
    await families.declare(0, "16-Р/2026")
    await families.declare(1, "17-Р/2026", declines=True)
    run = await print_families(world)
    assert numbers_of(run) == {NAMES[0]: "16-Р/2026", NAMES[2]: "15-Р/2026"}
    assert [printout.sheet_number for printout in run.printouts] == [1, 2]


async def test_a_family_that_was_refused_takes_no_number(world: World, families: Families) -> None:
    assert await refused(print_families(world)) == NOBODY
    assert await world.query("SELECT 1 FROM counters WHERE school_id = $1") == []


@needs_poppler
async def test_of_two_declaring_parents_each_gets_a_sheet_in_their_own_name(world: World, families: Families) -> None:
    """Clause R7: they may live apart; who was handed which sheet is proved."""
    await families.declare(1, "15-Р/2026", made=NOW - timedelta(days=31), name="Белова Ольга Юрьевна")
    await families.declare(1, "16-Р/2026", name="Белов Олег Ильич")
    run = await print_families(world)
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
    assert await list_terms(world) == [(MONDAY, False, "")]
    await world.hand_over(run, "WITH_CHILD", 0)
    assert await list_terms(world) == [(MONDAY, False, "")]
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
    run = await print_families(world)
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
    assert numbers_of(await print_families(world)) == {NAMES[1]: "15-Р/2026, 16-Р/2026"}


async def test_one_parent_on_paper_is_enough_and_one_who_declines_leaves_the_other(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026", declines=True)
    mothers = await families.declare(0, "16-Р/2026")
    assert numbers_of(await print_families(world)) == {NAMES[0]: "16-Р/2026"}
    await families.revoke(mothers)
    assert await refused(print_families(world)) == NOBODY


async def test_a_declared_number_stands_on_any_sheet_and_a_given_one_where_none_is_known(
    world: World, families: Families
) -> None:
    await families.declare(1, "15-Р/2026")
    assert numbers_of(await world.prepare()) == {NAMES[0]: "", NAMES[1]: "15-Р/2026", NAMES[2]: ""}
    chosen = [print_run_pb2.PrintedStudent(student_id=world.student_ids[1])]
    assert numbers_of(await world.prepare(students=chosen)) == {NAMES[1]: "15-Р/2026"}
    chosen += [print_run_pb2.PrintedStudent(student_id=world.student_ids[2])]
    for one in chosen:
        one.declaration_number = "17-Б"
    assert numbers_of(await world.prepare(students=chosen)) == {NAMES[1]: "15-Р/2026", NAMES[2]: "17-Б"}


async def test_students_are_not_chosen_beside_the_paper_families(world: World, families: Families) -> None:
    await families.declare(1, "15-Р/2026")
    chosen = [print_run_pb2.PrintedStudent(student_id=world.student_ids[1])]
    call = world.prepare(students=chosen, audience=print_run_pb2.PRINT_AUDIENCE_PAPER_FAMILIES)
    assert await refused(call) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")


async def test_a_revocation_that_is_told_before_the_declaration_stays(world: World, families: Families) -> None:
    declared = await families.declare(0, "15-Р/2026")
    early = await families.tell(declared)
    old = world.roster.get(declared).paper_declaration.SerializeToString()
    await families.revoke(declared)
    world.roster.get(declared).paper_declaration.ParseFromString(old)
    await families.tell(declared)
    await families.repeat(early)
    assert await refused(print_families(world)) == NOBODY


async def test_another_schools_family_is_nobody_here(world: World, families: Families) -> None:
    await families.declare(0, "15-Р/2026")
    week = world.weeks[world.class_id, WEEK]
    await world.begin(str(uuid4()))
    world.weeks[world.class_id, WEEK] = week
    assert await refused(print_families(world)) == NOBODY


async def test_a_rebuild_fills_the_projection_from_access(world: World, families: Families) -> None:
    declared = await families.declare(0, "15-Р/2026")
    await world.begin(str(uuid4()))
    again = Families(world, families.consumers)
    entry = world.roster.get(declared)
    entry.paper_declaration.student_id = world.student_ids[0]
    world.roster.put(world.school_id, entry)
    database = await Database.connect(world.clone.app_dsns["documents"], "documents", size=1)
    token = ServiceToken(world.keys_dir, "documents", world.clock)
    async with connect(world.neighbours.address, token) as access:
        roster = roster_service_pb2_grpc.RosterServiceStub(access)
        for _ in range(2):
            assert await rebuild_school(database, roster, KINDS, UUID(world.school_id)) > 0
    await database.close()
    assert numbers_of(await print_families(world)) == {NAMES[0]: "15-Р/2026"}
    await again.record_lesson("2026-11-19")
    assert len(await list_terms(world)) == 1


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
