"""The register of weekly printouts as a form (Clause R7)."""

import pytest

from apps.portal.class_teacher.views import build_run, list_own_classes, read_hand_overs
from diary.documents.v1 import print_run_pb2
from tests.unit.portal.standin import SCHOOL, StandIn
from tests.unit.portal.standin_cases import CLASS

ANNA, BORIS = "0198a000-0000-7000-8000-00000000000a", "0198a000-0000-7000-8000-00000000000b"
ZONE = "Europe/Simferopol"


def _run() -> print_run_pb2.PrintRun:
    run = print_run_pb2.PrintRun(print_run_id="r")
    run.create_time.FromJsonString("2026-11-20T11:05:00Z")
    run.due_time.FromJsonString("2026-11-22T21:00:00Z")
    run.printouts.add(student_id=ANNA, student_name="Абрамова Анна", sheet_number=1, is_owed=True)
    given = run.printouts.add(student_id=BORIS, student_name="Белов Борис", sheet_number=2, is_owed=True)
    given.hand_over.CopyFrom(
        print_run_pb2.HandOver(channel=print_run_pb2.HAND_OVER_CHANNEL_WITH_CHILD, handed_date="2026-11-20")
    )
    return run


def test_only_what_changed_is_recorded() -> None:
    form = {"handed_date": "2026-11-21", "way-1": "2", "receipt-1": "on", "way-2": "1", "note-2": ""}
    [record] = read_hand_overs(_run(), form)
    assert (record.student_id, record.channel, record.handed_date) == (
        ANNA,
        print_run_pb2.HAND_OVER_CHANNEL_IN_PERSON,
        "2026-11-21",
    )
    assert record.is_receipted


def test_a_line_left_alone_is_not_recorded() -> None:
    assert read_hand_overs(_run(), {"handed_date": "2026-11-21", "way-2": "1"}) == []


@pytest.mark.parametrize("way", ["7", "x"])
def test_a_way_that_is_none_is_refused(way: str) -> None:
    with pytest.raises(ValueError):
        read_hand_overs(_run(), {"way-1": way})


def test_the_term_is_told_until_it_is_met() -> None:
    run = _run()
    due = run.due_time.seconds
    shown = build_run(run, ZONE, due)
    assert (shown.term.replace("\xa0", " "), shown.is_late, shown.is_met) == ("выдать до 22.11.2026 24:00", False, False)
    assert shown.missing.replace("\xa0", " ") == "1 лист"
    assert build_run(run, ZONE, due + 1).is_late
    run.printouts[0].hand_over.channel = print_run_pb2.HAND_OVER_CHANNEL_IN_PERSON
    given = build_run(run, ZONE, due + 1)
    assert (given.term, given.missing, given.is_met, given.is_late) == ("все обязательные листы выданы", "", True, False)


def test_a_run_of_sheets_that_nobody_is_owed_has_no_term_and_misses_none() -> None:
    """Staff A4."""
    run = _run()
    run.ClearField("due_time")
    for printout in run.printouts:
        printout.is_owed = False
    shown = build_run(run, ZONE, run.create_time.seconds * 2)
    assert (shown.term, shown.missing, shown.is_met, shown.is_late) == ("", "", False, False)


def test_a_sheet_for_which_another_stands_is_not_missing() -> None:
    """Staff A4 d."""
    run = _run()
    run.printouts[0].is_replaced = True
    shown = build_run(run, ZONE, run.due_time.seconds + 1)
    assert (shown.missing, shown.is_late, shown.lines[0].is_replaced) == ("", False, True)


def test_all_without_a_record_are_marked_with_the_child_at_once() -> None:
    """Staff C10; each of two parents' sheets is recorded as its own."""
    run = _run()
    run.printouts.add(student_id=ANNA, guardian_person_id=BORIS, recipient_name="Абрамова Ирина", sheet_number=3)
    records = read_hand_overs(run, {"handed_date": "2026-11-21", "way-2": "1", "all-as-wanted": "1"})
    assert [(record.student_id, record.guardian_person_id, record.channel) for record in records] == [
        (ANNA, "", print_run_pb2.HAND_OVER_CHANNEL_WITH_CHILD),
        (ANNA, BORIS, print_run_pb2.HAND_OVER_CHANNEL_WITH_CHILD),
    ]


def test_all_without_a_record_are_marked_as_their_declarations_ask_and_the_others_with_the_child() -> None:
    """Staff B2, C10."""
    run = _run()
    assert not build_run(run, ZONE, 0).has_wanted
    run.printouts[0].wanted_channel = print_run_pb2.HAND_OVER_CHANNEL_IN_PERSON
    run.printouts[1].wanted_channel = print_run_pb2.HAND_OVER_CHANNEL_IN_PERSON
    other = run.printouts.add(student_id=BORIS, guardian_person_id=ANNA, sheet_number=3)
    other.wanted_channel, other.wanted_note = print_run_pb2.HAND_OVER_CHANNEL_OTHER, "через брата"
    run.printouts.add(student_id=BORIS, guardian_person_id=BORIS, sheet_number=4)
    shown = build_run(run, ZONE, 0)
    assert shown.has_wanted
    assert [(line.wanted, line.way) for line in shown.lines] == [("лично", 0), ("лично", 1), ("иное: через брата", 0), ("", 0)]
    form = {"handed_date": "2026-11-21", "way-2": "1"}
    assert read_hand_overs(run, form) == []
    records = read_hand_overs(run, {**form, "all-as-wanted": "1"})
    assert [(record.channel, record.note) for record in records] == [
        (print_run_pb2.HAND_OVER_CHANNEL_IN_PERSON, ""),
        (print_run_pb2.HAND_OVER_CHANNEL_OTHER, "через брата"),
        (print_run_pb2.HAND_OVER_CHANNEL_WITH_CHILD, ""),
    ]
    [said] = read_hand_overs(run, {**form, "way-1": "4", "note-1": "болел"})
    assert said.channel == print_run_pb2.HAND_OVER_CHANNEL_NOT_HANDED_OVER


def test_what_was_typed_is_shown_again_after_a_refusal() -> None:
    anna, boris = build_run(_run(), ZONE, 0, {"way-1": "4", "note-1": "болел"}).lines
    assert (anna.way, anna.note) == (4, "болел")
    assert (boris.way, boris.recorded.replace("\xa0", " ")) == (1, "20 ноября")


def test_own_classes_are_those_of_the_students() -> None:
    assert list_own_classes([("c", "8-А"), ("c", "8-А"), ("", "")]) == {"c": "8-А"}


async def test_a_past_week_offers_its_own_list(stand_in: StandIn) -> None:
    """Decision 0109."""
    browser = await stand_in.signed_in()
    for address in ("?week=2026-W42", ""):
        assert (await browser.get(f"/schools/{SCHOOL}/classes/{CLASS}/printouts{address}")).status_code == 200
    assert stand_in.roster.mondays == ["2026-10-12", "2026-11-16"]
