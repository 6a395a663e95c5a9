"""What is filed: applicants in clean lines, statements that are each signer's own (Clauses R5, R29-R32, decision 7)."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

from chassis.errors import FailedPrecondition, FieldViolation, InvalidArgument
from services.access.rules.applications import OWN_APPLICATION_AGE, StudentCard, Way
from services.access.rules.guardianships import GuardianKind, is_under
from services.access.rules.names import PersonName
from services.access.rules.statements import ApplicationKind, PaperWish

# The number of diary.access.v1.ApplicationChannel: через сервис.
DIARY = 4


@dataclass(frozen=True, slots=True)
class Filed:
    """An applicant as filed: a known person by id, or a new one by name. `kind` is None for the student as applicant (R5)."""

    person_id: UUID | None
    name: PersonName
    kind: GuardianKind | None
    document: str
    email: str
    way: Way
    paper: PaperWish = field(default_factory=PaperWish)


def check_received(received: datetime, now: datetime) -> datetime:
    """The time of receipt. Raises InvalidArgument RECEIVED_IN_FUTURE."""
    if received > now:
        raise InvalidArgument("RECEIVED_IN_FUTURE", "the time of receipt has not come yet")
    return received


def plan_applicants(filed: Sequence[Filed], student: StudentCard, is_for_student_too: bool) -> list[Filed]:
    """The applicants of a case in clean lines: those filed, and the student where asked for (Clause R5).

    Raises InvalidArgument APPLICANT_INCOMPLETE, EMAIL_MISSING, REQUEST_INVALID (one person twice).
    """
    filed = [_clean(applicant) for applicant in filed]
    for index, applicant in enumerate(filed):
        _check_filed(applicant, student.student_id, f"applicants[{index}]")
    known = [applicant.person_id for applicant in filed if applicant.person_id is not None]
    if len(set(known)) < len(known):
        violation = FieldViolation("applicants", "the same person stands twice")
        raise InvalidArgument("REQUEST_INVALID", "the same person stands twice", violations=(violation,))
    if not is_for_student_too or student.student_id in known:
        return filed
    return [*filed, Filed(student.student_id, student.name, None, "", "", Way.IN_PERSON)]


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
    return [replace(one, person_id=person_id, name=PersonName("", "", ""), kind=None, document="")]


def check_statement(filed: Sequence[Filed], student: StudentCard, is_for_student_too: bool, day: date) -> None:
    """A statement of Appendix 2 or 3 is each signer's own (Clause R32); a young student signs none (decision 7).

    Raises InvalidArgument REQUEST_INVALID, FailedPrecondition STUDENT_UNDER_AGE.
    """
    if is_for_student_too:
        violation = FieldViolation("is_for_student_too", "a statement is each signer's own")
        raise InvalidArgument("REQUEST_INVALID", violation.description, violations=(violation,))
    is_own = any(applicant.person_id == student.student_id for applicant in filed)
    if is_own and is_under(student.birth_date, OWN_APPLICATION_AGE, day):
        raise FailedPrecondition("STUDENT_UNDER_AGE", "a student of this age signs no statement of one's own")


def _clean(applicant: Filed) -> Filed:
    name = PersonName(*map(one_line, (applicant.name.family_name, applicant.name.given_name, applicant.name.patronymic)))
    return replace(applicant, name=name, document=one_line(applicant.document))


def one_line(text: str) -> str:
    """A text without control characters, its words set apart by single spaces."""
    return " ".join(
        "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf")).split()
    )


def _check_filed(applicant: Filed, student_id: UUID, path: str) -> None:
    is_named = bool(applicant.name.family_name and applicant.name.given_name and applicant.kind)
    # The student is no guardian of oneself; a known guardian's relation is on record.
    if (applicant.person_id is None and not is_named) or (applicant.person_id == student_id and applicant.kind is not None):
        violation = FieldViolation(path, "needs family name, given name and the legal relation, or a known person")
        raise InvalidArgument("APPLICANT_INCOMPLETE", f"{path}: {violation.description}", violations=(violation,))
    if applicant.way is Way.EMAIL and not applicant.email:
        violation = FieldViolation(f"{path}.email", "credentials by e-mail need an address")
        raise InvalidArgument("EMAIL_MISSING", violation.description, violations=(violation,))
