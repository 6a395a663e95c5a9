"""How a guardian asked to be given a printout: from access's word to the register (Clause R7)."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from diary.access.v1 import application_pb2, roster_pb2
from services.documents.print_runs.convert.runs import read_recipients
from services.documents.print_runs.rules.class_week import ClassWeek, StudentWeek
from services.documents.print_runs.rules.paper_families import PaperMode
from services.documents.print_runs.rules.runs import Channel, Recipient, address_sheets
from services.documents.print_runs.rules.sheets import PaperCodes, build_run

ANNA, MOTHER, EARLIER, NEWEST = (UUID(int=number) for number in range(1, 5))
STUDENT = StudentWeek(ANNA, "Абрамова Анна", [], 5, 0, 0, 0, 0)


def _told(way: application_pb2.PrintoutWay.ValueType, note: str = "") -> roster_pb2.RosterEntry:
    declaration = roster_pb2.RosterPaperDeclaration(
        declaration_id=str(NEWEST), guardian_person_id=str(MOTHER), printout_way=way, printout_way_note=note
    )
    return roster_pb2.RosterEntry(paper_declaration=declaration)


def _mode(declaration_id: UUID) -> PaperMode:
    return PaperMode(declaration_id, ANNA, MOTHER, "15-Р/2026", False, None, 1)


@pytest.mark.parametrize(
    ("way", "wanted"),
    [
        (application_pb2.PRINTOUT_WAY_UNSPECIFIED, None),
        (application_pb2.PRINTOUT_WAY_WITH_CHILD, Channel.WITH_CHILD),
        (application_pb2.PRINTOUT_WAY_IN_PERSON, Channel.IN_PERSON),
        (application_pb2.PRINTOUT_WAY_OTHER, Channel.OTHER),
    ],
)
def test_a_declarations_word_is_the_way_of_the_register(
    way: application_pb2.PrintoutWay.ValueType, wanted: Channel | None
) -> None:
    [recipient] = read_recipients([_mode(NEWEST)], [_told(way)])[ANNA]
    assert recipient.wanted == wanted


def test_the_newest_declaration_of_a_guardian_says_how() -> None:
    earlier = _told(application_pb2.PRINTOUT_WAY_IN_PERSON)
    earlier.paper_declaration.declaration_id = str(EARLIER)
    told = [earlier, _told(application_pb2.PRINTOUT_WAY_UNSPECIFIED)]
    [recipient] = read_recipients([_mode(EARLIER), _mode(NEWEST)], told)[ANNA]
    assert recipient.wanted is None


@pytest.mark.parametrize(
    ("wanted", "recipient"),
    [
        (None, "Абрамова Ирина"),
        (Channel.WITH_CHILD, "Абрамова Ирина, просит с ребенком"),
        (Channel.IN_PERSON, "Абрамова Ирина, просит лично"),
        (Channel.OTHER, "Абрамова Ирина, просит иначе, см. заявление"),
    ],
)
def test_the_register_tells_how_but_not_in_words_that_other_families_would_read(wanted: Channel | None, recipient: str) -> None:
    note = "через брата" if wanted is Channel.OTHER else ""
    recipients = {ANNA: [Recipient(MOTHER, "Абрамова Ирина", ("15-Р/2026",), wanted, note)]}
    sheets = address_sheets([STUDENT], recipients, {}, 2026, 141)
    week = ClassWeek("8-А", "Школа", "Europe/Simferopol", date(2026, 11, 16), "", 0, 0, [STUDENT])
    run = build_run(week, sheets, PaperCodes("", "alek"), "", "", datetime(2026, 11, 20, tzinfo=UTC))
    assert [row.recipient.replace("\N{NO-BREAK SPACE}", " ") for row in run.register] == [recipient]
    assert run.sheets[0].recipient == "Абрамова Ирина"
