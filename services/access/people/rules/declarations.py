"""Guardians' declarations for paper, and how printouts are given (Clauses R7, R8)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from uuid import UUID

from chassis.errors import FieldViolation, InvalidArgument, NotFound
from services.access.people.rules.names import PersonName


class PaperReason(IntEnum):
    """Why a guardian is informed on paper; numbers of diary.access.v1.PaperReason."""

    CANNOT = 1
    DOES_NOT_WANT = 2


class PrintoutWay(IntEnum):
    """How a guardian asks to be given printouts; numbers of diary.access.v1.PrintoutWay."""

    NOT_SAID = 0
    WITH_CHILD = 1
    IN_PERSON = 2
    OTHER = 3


class DeclarationForm(IntEnum):
    """How a declaration was made; numbers of diary.access.v1.PaperDeclarationForm."""

    STATEMENT = 1
    SHEET = 2
    WORDS = 3
    ELECTRONIC = 4


@dataclass(frozen=True, slots=True)
class PaperDeclaration:
    """A guardian's declaration to be informed on paper (Clause R8); `way_note` says how printouts are given in another way."""

    declaration_id: UUID
    student_id: UUID
    guardian_person_id: UUID
    year: int
    number: int
    declare_date: date
    reason: PaperReason
    declines_printouts: bool
    way: PrintoutWay
    way_note: str
    revoke_time: datetime | None


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration to be kept (Clause R8)."""

    guardian_person_id: UUID
    declare_date: date
    reason: PaperReason
    declines_printouts: bool
    way: PrintoutWay
    way_note: str
    form: DeclarationForm


@dataclass(frozen=True, slots=True)
class ListedDeclaration:
    """A declaration with its guardian's name, and how it was made."""

    declaration: PaperDeclaration
    guardian_name: PersonName
    form: DeclarationForm


@dataclass(frozen=True, slots=True)
class OwnDeclaration:
    """A declaration as its guardian is told of it, with the student's name."""

    declaration: PaperDeclaration
    student_name: PersonName
    form: DeclarationForm


def check_declare_date(declared: date, today: date) -> date:
    """The date of a declaration. Raises InvalidArgument DECLARED_IN_FUTURE."""
    if declared > today:
        raise InvalidArgument("DECLARED_IN_FUTURE", "the date of the declaration has not come yet")
    return declared


def check_printout_way(way: PrintoutWay, note: str, *, declines_printouts: bool, path: str = "") -> None:
    """How printouts are to be given (Clause R7), as the sheet of choice has it: «иное» in words, and nothing of printouts that
    are declined. `path`: of the fields.

    Raises InvalidArgument PRINTOUT_WAY_NOTE_REQUIRED, REQUEST_INVALID.
    """
    if way is PrintoutWay.OTHER and not note:
        raise _refuse("PRINTOUT_WAY_NOTE_REQUIRED", f"{path}printout_way_note", "say how otherwise")
    if way is not PrintoutWay.OTHER and note:
        raise _refuse("REQUEST_INVALID", f"{path}printout_way_note", "is for another way alone")
    if way is not PrintoutWay.NOT_SAID and declines_printouts:
        raise _refuse("REQUEST_INVALID", f"{path}printout_way", "printouts that are declined are not given")


def require_own(person_id: UUID, own_person_id: UUID) -> UUID:
    """The guardian who declares for oneself. Raises InvalidArgument STATEMENT_NOT_OWN."""
    if person_id != own_person_id:
        raise InvalidArgument("STATEMENT_NOT_OWN", "a guardian declares for oneself alone")
    return person_id


def require_declaration(found: ListedDeclaration | None, own_person_id: UUID | None) -> ListedDeclaration:
    """The declaration that the caller may revoke: staff any, a guardian the own one (`own_person_id`).

    Raises NotFound PAPER_DECLARATION_NOT_FOUND.
    """
    if found is None or own_person_id not in (None, found.declaration.guardian_person_id):
        raise NotFound("PAPER_DECLARATION_NOT_FOUND", "no such declaration that the caller may revoke")
    return found


def write_paper_number(declaration: PaperDeclaration) -> str:
    """The number of a declaration as it is printed: 15-Р/2026."""
    return f"{declaration.number}-Р/{declaration.year}"


def write_declaration(declaration: PaperDeclaration) -> str:
    """A declaration in the case log, by its number among them; the statement is its paper."""
    form = "заявитель отказался и от распечаток" if declaration.declines_printouts else "распечатка еженедельно"
    return f"форма информирования: {form}, № {write_paper_number(declaration)}"


def _refuse(reason: str, path: str, description: str) -> InvalidArgument:
    return InvalidArgument(reason, f"{path}: {description}", violations=(FieldViolation(path, description),))
