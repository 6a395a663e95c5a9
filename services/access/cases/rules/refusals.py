"""Refusals: a closed list of three grounds, each with its evidence (Clauses R19-R23, decisions 4, 5, 7)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from uuid import UUID

from chassis.errors import FailedPrecondition
from services.access.cases.rules.applications import DECIDED, Applicant, Case, State, is_relation_proved, write_person
from services.access.cases.rules.statements import ApplicationKind
from services.access.people.rules.guardianships import (
    FULL_AGE,
    AuthorityEnd,
    AuthorityEnding,
    find_authority_end,
    find_birthday,
    find_expiry,
    is_under,
    write_authority_end,
)
from services.access.people.rules.names import PersonName
from services.access.people.rules.regulations import Regulation
from services.access.people.rules.schools import SchoolDetails
from services.access.rights.rules.grants import write_application_number


class RefusalGround(IntEnum):
    """Grounds; numbers of diary.access.v1.RefusalGround."""

    NOT_AN_APPLICANT = 1
    NOT_A_STUDENT = 2
    OWN_STATEMENT = 3


class RefusalReason(IntEnum):
    """Which case of its ground a refusal is; numbers of diary.access.v1.RefusalReason."""

    RELATION_NOT_PROVED = 1
    STUDENT_OF_AGE = 2
    AUTHORITY_ENDED = 3
    NOT_ENROLLED = 4
    LEFT = 5
    STATEMENT_NOT_TO_PROVIDE = 6
    STATEMENT_TO_CANCEL = 7


CLAUSES = {
    RefusalGround.NOT_AN_APPLICANT: "R19",
    RefusalGround.NOT_A_STUDENT: "R20",
    RefusalGround.OWN_STATEMENT: "R21",
}


# The closed list in the regulation's own words, for the case log.
GROUND_WORDS = {
    RefusalGround.NOT_AN_APPLICANT: "запрос подан лицом, не относящимся к заявителям",
    RefusalGround.NOT_A_STUDENT: "лицо не является обучающимся школы",
    RefusalGround.OWN_STATEMENT: "заявление заявителя об отказе в получении услуги",
}


@dataclass(frozen=True, slots=True)
class LastEnrolment:
    """A student's enrolment that is over: its last day, and the order of leaving where it is known."""

    last_day: date
    order_number: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What proves a ground: its case, the evidence in words, and the facts that the paper prints: the 18th birthday, the last
    day at the school with its order, or the last day of the authority with the act that ended it.
    """

    reason: RefusalReason
    evidence: str
    fact_date: date | None = None
    fact_order_number: str = ""
    fact_order_date: date | None = None
    authority_ending: AuthorityEnding | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal of a case; what belongs to the signature is None or empty before it, `reason` in those from before reasons,
    `authority_ending` where no authority has ended.
    """

    application_id: UUID
    ground: RefusalGround
    reason: RefusalReason | None
    evidence: str
    propose_time: datetime
    year: int | None
    number: int | None
    sign_time: datetime | None
    signer: PersonName | None
    authority_ending: AuthorityEnding | None


def write_refusal_number(number: int, year: int) -> str:
    """A decision's number as it is printed: 3-ЭДО/2026."""
    return f"{number}-ЭДО/{year}"


def prove_ground(case: Case, ground: RefusalGround, day: date, last: LastEnrolment | None) -> Proof:
    """What proves a ground as it stands on a day of the school's zone; `last` is the student's enrolment that is over.

    Raises FailedPrecondition GROUND_NOT_PROVED.
    """
    proof = {
        RefusalGround.NOT_AN_APPLICANT: lambda: _prove_not_an_applicant(case, day),
        RefusalGround.NOT_A_STUDENT: lambda: _prove_not_a_student(case, day, last),
        RefusalGround.OWN_STATEMENT: lambda: _prove_own_statement(case),
    }[ground]()
    if proof is None:
        clause = CLAUSES[ground]
        raise FailedPrecondition(
            "GROUND_NOT_PROVED", f"what stands in the register does not prove {clause}", {"clause": clause}
        )
    return proof


def require_printable(details: SchoolDetails, regulation: Regulation) -> None:
    """A decision prints where the school is, whom a complaint goes to, and the regulation that the school has adopted: it is
    not made up while one is not known (Clauses R1, R22). Raises FailedPrecondition SCHOOL_DETAILS_MISSING.
    """
    known = {"address": details.address, "founder": details.founder, "regulation": regulation.order_number}
    missing = ",".join(name for name, said in known.items() if not said)
    if missing:
        raise FailedPrecondition("SCHOOL_DETAILS_MISSING", f"the school has not said: {missing}", {"missing": missing})


def require_undecided(case: Case) -> None:
    """Raises FailedPrecondition APPLICATION_DECIDED."""
    if case.state in DECIDED:
        raise FailedPrecondition("APPLICATION_DECIDED", "the case is already decided")


def require_proposed(case: Case, refusal: Refusal | None) -> Refusal:
    """The refusal that waits for the head. Raises FailedPrecondition NO_REFUSAL_PROPOSED, APPLICATION_DECIDED."""
    require_undecided(case)
    if refusal is None or case.state is not State.REFUSAL_PROPOSED:
        raise FailedPrecondition("NO_REFUSAL_PROPOSED", "no refusal of the case waits for a signature")
    return refusal


def _prove_not_an_applicant(case: Case, day: date) -> Proof | None:
    """Clause R19. A young student is an applicant whose case waits for a guardian's signature (decision 7).

    A statement of one who has shown no relation has no effect, and is refused by this ground too. To one who shows no document
    the paper tells nothing of the child, of age or not.
    """
    if any(applicant.kind is None for applicant in case.applicants):
        return None
    is_statement = case.kind is not ApplicationKind.APPENDIX_1
    if any(_was_shown(one) if is_statement else is_relation_proved(one, case, day) for one in case.applicants):
        return None
    names = ", ".join(write_person(applicant.name, applicant.kind) for applicant in case.applicants)
    birth_date = case.student.birth_date
    if not all(applicant.authority.document for applicant in case.applicants):
        return Proof(RefusalReason.RELATION_NOT_PROVED, f"родство не подтверждено на {day:%d.%m.%Y}: {names}")
    ended = next(filter(None, (_find_end(applicant, case, day) for applicant in case.applicants)), None)
    if ended is None and birth_date is not None and not is_under(birth_date, FULL_AGE, day):
        of_age = find_birthday(birth_date, FULL_AGE)
        return Proof(RefusalReason.STUDENT_OF_AGE, f"обучающийся совершеннолетний на {day:%d.%m.%Y}: {names}", of_age)
    if ended is None:
        return Proof(RefusalReason.RELATION_NOT_PROVED, f"родство не подтверждено на {day:%d.%m.%Y}: {names}")
    evidence = f"полномочия прекращены на {day:%d.%m.%Y}: {names}; {write_authority_end(ended)}"
    facts = ended.last_date, ended.act_number, ended.act_date, ended.ending
    return Proof(RefusalReason.AUTHORITY_ENDED, evidence, *facts)


def _was_shown(applicant: Applicant) -> bool:
    """Whether a statement's signer had shown the relation when the statement was filed: then it has had its effect."""
    return applicant.kind is None or applicant.guardianship_id is not None


def _find_end(applicant: Applicant, case: Case, day: date) -> AuthorityEnd | None:
    """How an applicant's authority ended otherwise than by age: as the school keeps it, or by the term of what was filed."""
    if applicant.kind is None or applicant.ending is not None:
        return applicant.ending
    to_date = applicant.held_to
    if applicant.guardianship_id is None:
        to_date = find_authority_end(applicant.kind, applicant.authority)
    return find_expiry(applicant.kind, to_date, case.student.birth_date, day)


def _prove_not_a_student(case: Case, day: date, last: LastEnrolment | None) -> Proof | None:
    """Clause R20: no enrolment in force or ahead; towards a proved relation only."""
    is_proved = all(is_relation_proved(applicant, case, day) for applicant in case.applicants)
    if case.kind is not ApplicationKind.APPENDIX_1 or case.student.enrolment is not None or not is_proved:
        return None
    evidence = f"проверка зачисления {day:%d.%m.%Y}: обучающимся школы не является"
    if last is None:
        return Proof(RefusalReason.NOT_ENROLLED, evidence)
    return Proof(RefusalReason.LEFT, evidence, last.last_day, last.order_number)


def _prove_own_statement(case: Case) -> Proof | None:
    """Clause R21: the case is the statement, of one who had shown the relation."""
    if case.kind is ApplicationKind.APPENDIX_1 or not all(map(_was_shown, case.applicants)):
        return None
    is_cancelled = case.kind is ApplicationKind.APPENDIX_3
    written = f"от {case.register_date:%d.%m.%Y} № {write_application_number(case.number, case.year)}"
    return Proof(
        RefusalReason.STATEMENT_TO_CANCEL if is_cancelled else RefusalReason.STATEMENT_NOT_TO_PROVIDE,
        f"заявление (приложение № {case.kind.value}) {written}",
    )
