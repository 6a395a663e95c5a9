"""Refusals: a closed list of three grounds, each with its evidence (Clauses R19-R23, decisions 4, 5, 7)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from uuid import UUID

from chassis.errors import FailedPrecondition
from services.access.rules.applications import Case, State, is_relation_proved, write_number, write_person
from services.access.rules.guardianships import is_under
from services.access.rules.names import PersonName
from services.access.rules.statements import ApplicationKind

_FULL_AGE = 18


class RefusalGround(IntEnum):
    """Grounds; numbers of diary.access.v1.RefusalGround."""

    NOT_AN_APPLICANT = 1
    NOT_A_STUDENT = 2
    OWN_STATEMENT = 3


CLAUSES = {
    RefusalGround.NOT_AN_APPLICANT: "R19",
    RefusalGround.NOT_A_STUDENT: "R20",
    RefusalGround.OWN_STATEMENT: "R21",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal of a case; what belongs to the signature is None or empty before it."""

    application_id: UUID
    ground: RefusalGround
    evidence: str
    propose_time: datetime
    year: int | None
    number: int | None
    sign_time: datetime | None
    signer: PersonName | None


def write_refusal_number(number: int, year: int) -> str:
    """A decision's number as it is printed: 3-ЭДО/2026."""
    return f"{number}-ЭДО/{year}"


def prove_ground(case: Case, ground: RefusalGround, day: date) -> str:
    """The evidence of a ground as it stands on a day of the school's zone, in words.

    Raises FailedPrecondition GROUND_NOT_PROVED.
    """
    prove = {
        RefusalGround.NOT_AN_APPLICANT: _prove_not_an_applicant,
        RefusalGround.NOT_A_STUDENT: _prove_not_a_student,
        RefusalGround.OWN_STATEMENT: _prove_own_statement,
    }
    evidence = prove[ground](case, day)
    if not evidence:
        clause = CLAUSES[ground]
        raise FailedPrecondition(
            "GROUND_NOT_PROVED", f"what stands in the register does not prove {clause}", {"clause": clause}
        )
    return evidence


def require_undecided(case: Case) -> None:
    """Raises FailedPrecondition APPLICATION_DECIDED."""
    if case.state in (State.GRANTED, State.REFUSED):
        raise FailedPrecondition("APPLICATION_DECIDED", "the case is already decided")


def require_proposed(case: Case, refusal: Refusal | None) -> Refusal:
    """The refusal that waits for the head. Raises FailedPrecondition NO_REFUSAL_PROPOSED, APPLICATION_DECIDED."""
    require_undecided(case)
    if refusal is None or case.state is not State.REFUSAL_PROPOSED:
        raise FailedPrecondition("NO_REFUSAL_PROPOSED", "no refusal of the case waits for a signature")
    return refusal


def _prove_not_an_applicant(case: Case, day: date) -> str:
    """Clause R19. A young student is an applicant whose case waits for a guardian's signature (decision 7)."""
    if case.kind is not ApplicationKind.APPENDIX_1 or any(is_relation_proved(one, case, day) for one in case.applicants):
        return ""
    if any(applicant.kind is None for applicant in case.applicants):
        return ""
    birth_date = case.student.birth_date
    is_of_age = birth_date is not None and not is_under(birth_date, _FULL_AGE, day)
    reason = "обучающийся совершеннолетний" if is_of_age else "родство не подтверждено"
    names = ", ".join(write_person(applicant.name, applicant.kind) for applicant in case.applicants)
    return f"{reason} на {day:%d.%m.%Y}: {names}"


def _prove_not_a_student(case: Case, day: date) -> str:
    """Clause R20: no enrolment in force or ahead; towards a proved relation only."""
    is_proved = all(is_relation_proved(applicant, case, day) for applicant in case.applicants)
    if case.kind is not ApplicationKind.APPENDIX_1 or case.student.enrolment is not None or not is_proved:
        return ""
    return f"проверка зачисления {day:%d.%m.%Y}: обучающимся школы не является"


def _prove_own_statement(case: Case, day: date) -> str:
    """Clause R21: the case is the statement."""
    if case.kind is ApplicationKind.APPENDIX_1:
        return ""
    return (
        f"заявление (приложение № {case.kind.value}) от {case.register_date:%d.%m.%Y} № {write_number(case.number, case.year)}"
    )
