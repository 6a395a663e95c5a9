"""How a guardian asks to be given printouts, as the sheet of choice has it (Clauses R7, R8)."""

import pytest

from chassis.errors import InvalidArgument
from services.access.people.rules.declarations import PrintoutWay, check_printout_way

NOT_SAID, WITH_CHILD, IN_PERSON, OTHER = PrintoutWay


@pytest.mark.parametrize(
    ("way", "note", "declines"),
    [(NOT_SAID, "", False), (NOT_SAID, "", True), (WITH_CHILD, "", False), (IN_PERSON, "", False), (OTHER, "брату", False)],
)
def test_what_the_blank_allows_is_taken(way: PrintoutWay, note: str, declines: bool) -> None:
    check_printout_way(way, note, declines_printouts=declines)


@pytest.mark.parametrize(
    ("way", "note", "declines", "reason", "field"),
    [
        (OTHER, "", False, "PRINTOUT_WAY_NOTE_REQUIRED", "applicants[0].printout_way_note"),
        (IN_PERSON, "брату", False, "REQUEST_INVALID", "applicants[0].printout_way_note"),
        (NOT_SAID, "брату", False, "REQUEST_INVALID", "applicants[0].printout_way_note"),
        (WITH_CHILD, "", True, "REQUEST_INVALID", "applicants[0].printout_way"),
    ],
)
def test_another_way_needs_words_and_declined_printouts_are_not_given(
    way: PrintoutWay, note: str, declines: bool, reason: str, field: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check_printout_way(way, note, declines_printouts=declines, path="applicants[0].")
    assert (refused.value.reason, [one.field for one in refused.value.violations]) == (reason, [field])
