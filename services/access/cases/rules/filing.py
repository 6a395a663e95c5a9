"""What is filed: applicants in clean lines, statements that are each signer's own (Clauses R5, R6, R29-R32, decision 7)."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from chassis.errors import FailedPrecondition, FieldViolation, InvalidArgument
from services.access.cases.rules.applications import Way
from services.access.cases.rules.statements import ApplicationKind, PaperWish
from services.access.people.rules.declarations import check_printout_way
from services.access.people.rules.guardianships import OWN_CARE_AGE, Authority, GuardianKind, check_authority, is_under
from services.access.people.rules.names import PersonName
from services.access.people.rules.students import StudentCard
from services.access.people.rules.texts import is_address, one_line

# The number of diary.access.v1.ApplicationChannel: через сервис.
DIARY = 4
_BETWEEN_LETTERS = frozenset(" -\u2010\u2011.'\u2019\u02bc`")


@dataclass(frozen=True, slots=True)
class Filed:
    """An applicant as filed: a known person by id, or a new one by name. `kind` is None for the student as applicant (R5);
    `is_another` says of a new one that it is none of those of the same name (APPLICANT_KNOWN).
    """

    person_id: UUID | None
    name: PersonName
    kind: GuardianKind | None
    authority: Authority
    email: str
    way: Way
    paper: PaperWish = field(default_factory=PaperWish)
    is_another: bool = False


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """One whom the card of a student or a case of the student names; `number` is that case's, empty for one of the card."""

    person_id: UUID
    name: PersonName
    kind: GuardianKind | None
    document: str
    number: str


def require_new_person(filed: Filed, known: Sequence[KnownPerson], path: str) -> None:
    """A new applicant is none of those whom the school knows beside this student. Names match nobody: a person of that name is
    shown, and whoever registers decides. The same name, relation and document are the same person, whatever is said.

    Raises FailedPrecondition APPLICANT_KNOWN.
    """
    for one in known:
        if _name_key(one.name) != _name_key(filed.name):
            continue
        is_same = one.kind is filed.kind and bool(one.document) and _fold(one.document) == _fold(filed.authority.document)
        if is_same or not filed.is_another:
            violation = FieldViolation(f"{path}.family_name", "a person of this name stands beside the student already")
            told = {"person_id": str(one.person_id), "number": one.number}
            raise FailedPrecondition("APPLICANT_KNOWN", violation.description, told, (violation,))


def check_received(received: datetime, now: datetime) -> datetime:
    """The time of receipt. Raises InvalidArgument RECEIVED_IN_FUTURE."""
    if received > now:
        raise InvalidArgument("RECEIVED_IN_FUTURE", "the time of receipt has not come yet")
    return received


def plan_applicants(filed: Sequence[Filed], student: StudentCard, is_for_student_too: bool, day: date) -> list[Filed]:
    """The applicants of a case in clean lines: those filed, and the student where asked for (Clause R5).

    Raises InvalidArgument APPLICANT_INCOMPLETE, NAME_INVALID, AUTHORITY_DOCUMENT_INVALID, AUTHORITY_DATES_INVALID,
    EMAIL_MISSING, PRINTOUT_WAY_NOTE_REQUIRED, REQUEST_INVALID (one person twice, no address, a way of declined printouts).
    """
    filed = [_clean(applicant) for applicant in filed]
    for index, applicant in enumerate(filed):
        path = f"applicants[{index}]"
        _check_filed(applicant, student.student_id, path)
        _check_name(applicant.name, path)
        _check_document(applicant.authority.document, f"{path}.")
        check_authority(applicant.kind, applicant.authority, day, f"{path}.")
        paper = applicant.paper
        check_printout_way(paper.way, paper.way_note, declines_printouts=paper.declines_printouts, path=f"{path}.")
    known = [applicant.person_id for applicant in filed if applicant.person_id is not None]
    new = [_name_key(one.name) for one in filed if one.person_id is None and not one.is_another]
    # Nor does saying that it is another make two of one document.
    shown = [
        (_name_key(one.name), one.kind, _fold(one.authority.document))
        for one in filed
        if one.person_id is None and one.authority.document
    ]
    if any(len(set(same)) < len(same) for same in (known, new, shown)):
        violation = FieldViolation("applicants", "the same person stands twice")
        raise InvalidArgument("REQUEST_INVALID", "the same person stands twice", violations=(violation,))
    if not is_for_student_too or student.student_id in known:
        return filed
    return [*filed, Filed(student.student_id, student.name, None, Authority(), "", Way.IN_PERSON)]


def check_channel(channel: int, *, is_family: bool) -> None:
    """What comes through the diary comes from the family itself. Raises InvalidArgument REQUEST_INVALID."""
    if channel == DIARY and not is_family:
        violation = FieldViolation("channel", "staff enter what came in person, by the class teacher or by post")
        raise InvalidArgument("REQUEST_INVALID", violation.description, violations=(violation,))


def take_own_statement(filed: Sequence[Filed], kind: ApplicationKind, person_id: UUID) -> list[Filed]:
    """What a family signs in the diary: a statement of Appendix 2 or 3, by the signed-in person alone (Clause R32).

    Raises InvalidArgument STATEMENT_NOT_OWN.
    """
    is_own = len(filed) == 1 and filed[0].person_id in (None, person_id)
    if kind is ApplicationKind.APPENDIX_1 or not is_own:
        raise InvalidArgument("STATEMENT_NOT_OWN", "a family signs here its own statement of Appendix 2 or 3, each alone")
    [one] = filed
    return [replace(one, person_id=person_id, name=PersonName("", "", ""), kind=None, authority=Authority())]


def check_statement(filed: Sequence[Filed], student: StudentCard, is_for_student_too: bool, day: date) -> None:
    """A statement of Appendix 2 or 3 is each signer's own (Clause R32); a young student signs none (decision 7).

    Raises InvalidArgument REQUEST_INVALID, FailedPrecondition STUDENT_UNDER_AGE.
    """
    if is_for_student_too:
        violation = FieldViolation("is_for_student_too", "a statement is each signer's own")
        raise InvalidArgument("REQUEST_INVALID", violation.description, violations=(violation,))
    is_own = any(applicant.person_id == student.student_id for applicant in filed)
    if is_own and is_under(student.birth_date, OWN_CARE_AGE, day):
        raise FailedPrecondition("STUDENT_UNDER_AGE", "a student of this age signs no statement of one's own")


def _clean(applicant: Filed) -> Filed:
    name = PersonName(*map(one_line, (applicant.name.family_name, applicant.name.given_name, applicant.name.patronymic)))
    return replace(
        applicant,
        name=name,
        authority=replace(applicant.authority, document=one_line(applicant.authority.document)),
        paper=replace(applicant.paper, way_note=one_line(applicant.paper.way_note)),
    )


def clean_authority(kind: GuardianKind | None, authority: Authority, day: date) -> Authority:
    """The document of an applicant that is shown after the registration, in one clean line.

    Raises InvalidArgument AUTHORITY_DOCUMENT_INVALID, AUTHORITY_DATES_INVALID.
    """
    clean = replace(authority, document=one_line(authority.document))
    if not clean.document:
        violation = FieldViolation("authority_document", "needs the kind of document, its number and date")
        raise InvalidArgument("AUTHORITY_DOCUMENT_INVALID", violation.description, violations=(violation,))
    _check_document(clean.document, "")
    check_authority(kind, clean, day, "")
    return clean


def _name_key(name: PersonName) -> tuple[str, str, str]:
    """A name as it is told from others: however its letters are written, ё as е."""
    return _fold(name.family_name), _fold(name.given_name), _fold(name.patronymic)


def _fold(text: str) -> str:
    return one_line(text).casefold().replace("ё", "е")


def _check_filed(applicant: Filed, student_id: UUID, path: str) -> None:
    # One name alone is a name: some people have no other.
    is_named = bool(applicant.name.family_name and applicant.kind)
    # The student is no guardian of oneself; a known guardian's relation is on record.
    if (applicant.person_id is None and not is_named) or (applicant.person_id == student_id and applicant.kind is not None):
        violation = FieldViolation(path, "needs family name and the legal relation, or a known person")
        raise InvalidArgument("APPLICANT_INCOMPLETE", f"{path}: {violation.description}", violations=(violation,))
    if applicant.email and not is_address(applicant.email):
        violation = FieldViolation(f"{path}.email", "must be an e-mail address")
        raise InvalidArgument("REQUEST_INVALID", f"{path}.email: {violation.description}", violations=(violation,))
    if applicant.way is Way.EMAIL and not applicant.email:
        violation = FieldViolation(f"{path}.email", "credentials by e-mail need an address")
        raise InvalidArgument("EMAIL_MISSING", violation.description, violations=(violation,))


def _check_name(name: PersonName, path: str) -> None:
    """Letters, and what stands between the letters of names. Raises InvalidArgument NAME_INVALID."""
    for of_name in ("family_name", "given_name", "patronymic"):
        part: str = getattr(name, of_name)
        if part and not (part[0].isalpha() and all(_may_stand_in_a_name(letter) for letter in part)):
            violation = FieldViolation(f"{path}.{of_name}", "holds what no name holds")
            raise InvalidArgument("NAME_INVALID", f"{violation.field}: {violation.description}", violations=(violation,))


def _may_stand_in_a_name(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LM" or letter in _BETWEEN_LETTERS


def _check_document(document: str, path: str) -> None:
    """A document is told by its kind in words and a number or date. Raises InvalidArgument AUTHORITY_DOCUMENT_INVALID."""
    if document and not (re.search(r"\d", document) and len(re.findall(r"[^\W\d_]", document)) > 2):
        violation = FieldViolation(f"{path}authority_document", "needs the kind of document, its number and date")
        raise InvalidArgument("AUTHORITY_DOCUMENT_INVALID", violation.description, violations=(violation,))
