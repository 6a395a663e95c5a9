"""Weekly print runs: prepared, kept, handed over, and the term of R7."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc

from diary.documents.v1 import document_pb2, events_pb2, print_run_pb2
from diary.options.v1 import options_pb2
from services.documents.print_runs.consumers import Consumers
from tests.support.papers import needs_poppler, read_texts
from tests.support.services import refused
from tests.worlds.documents import NAMES, WEEK, World, code_of
from tests.worlds.families import Families

NEXT_WEEK = "2026-W48"
NOT_FOUND = grpc.StatusCode.NOT_FOUND


async def _owe_all(world: World, consumers: Consumers) -> None:
    """All families of the class are on paper, and a lesson was held."""
    families = Families(world, consumers)
    for place in range(len(NAMES)):
        await families.declare(place, f"{place + 15}-Р/2026")
    await families.record_lesson("2026-11-17")


async def test_a_run_numbers_the_sheets_in_the_order_of_the_class_list(world: World) -> None:
    run = await world.prepare()
    assert [(p.student_name, p.year, p.sheet_number) for p in run.printouts] == [
        (name, 2026, number) for number, name in enumerate(NAMES, 1)
    ]
    again = await world.prepare()
    assert [p.sheet_number for p in again.printouts] == [4, 5, 6]


@needs_poppler
async def test_each_student_stands_once_and_nobody_elses_mark_beside(world: World) -> None:
    texts = read_texts(await world.download(await world.prepare()))
    *sheets, register = texts
    whole = " ".join(" ".join(sheets).split())
    assert [whole.count(name) for name in NAMES] == [1, 1, 1]
    assert [register.count(name.split()[0]) for name in NAMES] == [1, 1, 1]
    assert "по болезни 1" in whole
    assert "болезн" not in register
    assert "Квадратные" not in register


async def test_what_was_printed_is_kept_byte_for_byte(world: World) -> None:
    run = await world.prepare()
    world.put_week(WEEK).students[0].subjects[0].marks[0].value = 2
    first, second = await world.download(run), await world.download(run)
    assert first == second
    assert hashlib.sha256(first).hexdigest() == run.pdf_sha256
    assert len(first) < 8 * 1024 * 1024


async def test_a_repeated_request_gives_the_same_run_and_takes_no_number(world: World) -> None:
    request = world.prepare_request()
    answers = await asyncio.gather(*(world.documents.PrepareWeeklyPrintouts(request, metadata=world.teacher) for _ in range(3)))
    assert len({answer.print_run.print_run_id for answer in answers}) == 1
    assert [p.sheet_number for p in (await world.prepare()).printouts] == [4, 5, 6]


async def test_runs_at_once_leave_no_gap_in_the_numbers(world: World) -> None:
    runs = await asyncio.gather(*(world.prepare() for _ in range(4)))
    assert sorted(p.sheet_number for run in runs for p in run.printouts) == list(range(1, 13))


async def test_a_refused_run_takes_no_number(world: World) -> None:
    world.put_week(NEXT_WEEK, lesson_count=0)
    assert await refused(world.prepare(NEXT_WEEK)) == (grpc.StatusCode.FAILED_PRECONDITION, "WEEK_HAS_NO_LESSONS")
    strangers = [print_run_pb2.PrintedStudent(student_id=str(uuid4()))]
    assert await refused(world.prepare(students=strangers)) == (NOT_FOUND, "STUDENT_NOT_FOUND")
    assert (await world.prepare()).printouts[0].sheet_number == 1


async def test_chosen_students_alone_are_printed_with_their_declarations(world: World) -> None:
    chosen = [print_run_pb2.PrintedStudent(student_id=world.student_ids[2], declaration_number="17")]
    run = await world.prepare(students=chosen)
    assert [(p.student_name, p.declaration_number) for p in run.printouts] == [(NAMES[2], "17")]


async def test_the_journal_away_is_told_and_the_request_may_be_repeated(world: World) -> None:
    request = world.prepare_request()
    world.neighbours.fail("diary.journal")
    refusal = await refused(world.documents.PrepareWeeklyPrintouts(request, metadata=world.teacher))
    assert refusal == (grpc.StatusCode.UNAVAILABLE, "JOURNAL_UNAVAILABLE")
    world.neighbours.mend()
    answer = await world.documents.PrepareWeeklyPrintouts(request, metadata=world.teacher)
    assert answer.print_run.printouts[0].sheet_number == 1


async def test_the_class_teacher_of_another_class_is_told_that_there_is_nothing(world: World) -> None:
    run = await world.prepare()
    world.teacher = await world.person("class_teacher", options_pb2.RELATION_CLASS, str(uuid4()))
    assert await refused(world.prepare()) == (NOT_FOUND, "CLASS_NOT_FOUND")
    assert await refused(world.download(run)) == (NOT_FOUND, "PRINT_RUN_NOT_FOUND")
    assert await refused(world.hand_over(run, "WITH_CHILD", 0)) == (NOT_FOUND, "PRINT_RUN_NOT_FOUND")
    wanted = print_run_pb2.ListPrintRunsRequest(school_id=world.school_id, class_id=world.class_id)
    refusal = await refused(world.documents.ListPrintRuns(wanted, metadata=world.teacher))
    assert refusal == (NOT_FOUND, "CLASS_NOT_FOUND")


async def test_an_admin_of_the_school_prints_and_one_of_another_does_not(world: World) -> None:
    world.teacher = await world.person("admin", options_pb2.RELATION_SCHOOL, world.school_id)
    run = await world.prepare()
    await world.begin(str(uuid4()))
    world.teacher = await world.person("admin", options_pb2.RELATION_SCHOOL, world.school_id)
    assert await refused(world.download(run)) == (NOT_FOUND, "PRINT_RUN_NOT_FOUND")


async def test_the_list_is_paged_newest_first_and_by_week(world: World) -> None:
    runs = [await world.prepare() for _ in range(3)]
    world.put_week(NEXT_WEEK)
    runs.append(await world.prepare(NEXT_WEEK))
    request = print_run_pb2.ListPrintRunsRequest(school_id=world.school_id, class_id=world.class_id, page_size=2)
    found = []
    while True:
        page = await world.documents.ListPrintRuns(request, metadata=world.teacher)
        found += [run.print_run_id for run in page.print_runs]
        request.page_token = page.next_page_token
        if not request.page_token:
            break
    assert found == [run.print_run_id for run in reversed(runs)]
    request = print_run_pb2.ListPrintRunsRequest(school_id=world.school_id, class_id=world.class_id, week=NEXT_WEEK)
    page = await world.documents.ListPrintRuns(request, metadata=world.teacher)
    assert [run.week for run in page.print_runs] == [NEXT_WEEK]


async def test_the_term_is_met_when_the_last_sheet_is_handed_over(world: World, consumers: Consumers) -> None:
    await _owe_all(world, consumers)
    run = await world.prepare()
    assert run.due_time.ToJsonString() == "2026-11-22T21:00:00Z"  # Sunday, 24:00 in Simferopol
    run = await world.hand_over(run, "WITH_CHILD", 0, 1, is_receipted=True)
    assert not run.HasField("met_time")
    run = await world.hand_over(run, "NOT_HANDED_OVER", 2, note="не был в школе")
    assert not run.HasField("met_time")
    world.later(timedelta(hours=1))
    run = await world.hand_over(run, "IN_PERSON", 2)
    assert run.met_time.ToDatetime() < run.due_time.ToDatetime()
    assert [print_run_pb2.HandOverChannel.Name(p.hand_over.channel) for p in run.printouts] == [
        "HAND_OVER_CHANNEL_WITH_CHILD",
        "HAND_OVER_CHANNEL_WITH_CHILD",
        "HAND_OVER_CHANNEL_IN_PERSON",
    ]
    # The refused attempt stays on record: nothing is changed, records are added.
    assert len(await world.query("SELECT 1 FROM hand_overs WHERE school_id = $1")) == 4
    told = await world.query("SELECT payload FROM outbox WHERE school_id = $1 AND subject LIKE '%DeadlineChanged' ORDER BY 1")
    events = [events_pb2.DeadlineChanged.FromString(row["payload"]) for row in told]
    assert sorted(event.HasField("met_time") for event in events) == [False, True]
    assert {event.clause for event in events} == {"R7"}


async def test_a_hand_over_recorded_on_monday_for_friday_keeps_the_term(world: World, consumers: Consumers) -> None:
    await _owe_all(world, consumers)
    run = await world.prepare()
    world.later(timedelta(days=3))
    friday = await world.hand_over(run, "WITH_CHILD", 0, 1, 2, handed_date="2026-11-20")
    assert friday.met_time.ToJsonString() == "2026-11-20T21:00:00Z"
    monday = await world.hand_over(run, "WITH_CHILD", 1)
    assert monday.met_time.ToJsonString() == "2026-11-23T11:05:00Z"


async def test_a_record_that_says_nothing_or_lies_in_other_days_is_refused(world: World) -> None:
    run = await world.prepare()
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    assert await refused(world.hand_over(run, "OTHER", 0)) == (invalid, "HAND_OVER_NOTE_REQUIRED")
    for day in ("2026-11-19", "2026-11-21"):
        refusal = await refused(world.hand_over(run, "WITH_CHILD", 0, handed_date=day))
        assert refusal == (invalid, "HAND_OVER_DATE_INVALID")
    assert await refused(world.hand_over(run, "WITH_CHILD", 0, 0)) == (NOT_FOUND, "PRINTOUT_NOT_FOUND")
    assert await world.query("SELECT 1 FROM hand_overs WHERE school_id = $1") == []


async def test_a_repeated_record_is_kept_once(world: World) -> None:
    run, request_id = await world.prepare(), str(uuid4())
    for _ in range(2):
        await world.hand_over(run, "WITH_CHILD", 0, request_id=request_id)
    assert len(await world.query("SELECT 1 FROM hand_overs WHERE school_id = $1")) == 1


async def test_a_run_and_its_records_cannot_be_changed_or_dropped(world: World) -> None:
    rights = await world.query(
        """
        SELECT table_name, privilege_type FROM information_schema.role_table_grants
        WHERE grantee = 'diary_documents_app' AND table_name IN ('print_runs', 'printouts', 'hand_overs')
          AND $1::uuid IS NOT NULL
        """
    )
    assert {row["privilege_type"] for row in rights} == {"SELECT", "INSERT"}


async def _verify(world: World, **asked: Any) -> document_pb2.VerifyDocumentResponse:
    answer: document_pb2.VerifyDocumentResponse = await world.documents.VerifyDocument(
        document_pb2.VerifyDocumentRequest(**asked)
    )
    return answer


async def test_anyone_verifies_a_sheet_by_its_code_as_typed_and_the_file_of_a_run(world: World) -> None:
    """Families A1; no names of people are told."""
    run = await world.prepare()
    code = f"{code_of(world.school_id)}-2026-2"
    for typed in (code, code.upper(), code.replace("-", "‑"), code.replace("-", " "), f"{code}.", code.replace("a", "а")):
        answer = await _verify(world, code=typed)
        assert answer.verdict == document_pb2.VERDICT_VALID, typed
        assert answer.kind == document_pb2.DOCUMENT_KIND_WEEKLY_SHEET
        assert (answer.sheet_number, answer.monday_date, answer.school_name) == (2, "2026-11-16", "Школа № 1")
        assert answer.document_date == "2026-11-20"
    by_file = await _verify(world, file=await world.download(run))
    assert (by_file.verdict, by_file.sheet_number) == (document_pb2.VERDICT_VALID, 0)
    assert by_file.monday_date == "2026-11-16"
    for code in (f"{code_of(world.school_id)}-2026-4", f"{code_of(str(uuid4()))}-2026-2"):
        assert (await _verify(world, code=code)).verdict == document_pb2.VERDICT_UNKNOWN


async def test_the_migration_takes_back_false_terms_and_counts_the_others_anew(world: World, consumers: Consumers) -> None:
    """Staff A4: terms that a printing began; breaches by sheets that were owed to nobody."""
    migration = importlib.import_module("services.documents.migrations.0005_owed_sheets")
    families = Families(world, consumers)
    await families.declare(0, "15-Р/2026")
    await families.record_lesson("2026-11-17")
    run = await world.hand_over(await world.prepare(), "WITH_CHILD", 0)
    connection = await asyncpg.connect(world.clone.admin_dsn, server_settings={"search_path": "documents"})
    transaction = connection.transaction()
    await transaction.start()
    school_id, class_id = UUID(world.school_id), UUID(world.class_id)
    await connection.execute("UPDATE deadlines SET met_time = NULL, evidence = '' WHERE school_id = $1", school_id)
    await connection.execute(
        """
        INSERT INTO deadlines (school_id, clause, subject_id, class_id, monday_date, start_time, due_time)
        VALUES ($1, 'R7', gen_random_uuid(), $2, '2026-11-09', '2026-11-08T21:00Z', '2026-11-15T21:00Z')
        """,
        school_id,
        class_id,
    )
    void = [row for row in await connection.fetch(migration._VOID) if row["school_id"] == school_id]
    counted = [row for row in await connection.fetch(migration._RECOUNT) if row["school_id"] == school_id]
    await transaction.rollback()
    await connection.close()
    assert [(row["start_time"].isoformat(), row["is_void"]) for row in void] == [("2026-11-08T21:00:00+00:00", True)]
    assert [(row["met_time"], row["is_void"]) for row in counted] == [(run.met_time.ToDatetime(UTC), False)]
