"""Statements of Appendix 2 and 3: what is asked for, by whom (Clauses R30-R33)."""

from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from services.access.people.rules.declarations import PaperReason, PrintoutWay
from services.access.people.rules.guardianships import GuardianKind
from services.access.people.rules.names import PersonName


class ApplicationKind(IntEnum):
    """What is asked for; numbers of diary.access.v1.ApplicationKind."""

    APPENDIX_1 = 1
    APPENDIX_2 = 2
    APPENDIX_3 = 3


@dataclass(frozen=True, slots=True)
class PaperWish:
    """What an applicant says of paper: why it is wanted, whether printouts are declined too or how they are to be given, in a
    statement; that the paper mode ends, in an application.
    """

    reason: PaperReason = PaperReason.DOES_NOT_WANT
    declines_printouts: bool = False
    ends_mode: bool = False
    way: PrintoutWay = PrintoutWay.NOT_SAID
    way_note: str = ""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed a statement; `kind` is None for the student. `is_proved`: the relation was shown."""

    person_id: UUID
    name: PersonName
    kind: GuardianKind | None
    reason: PaperReason
    declines_printouts: bool
    way: PrintoutWay
    way_note: str
    is_proved: bool
