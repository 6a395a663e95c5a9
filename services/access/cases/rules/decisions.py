"""Signed refusals as papers: what an applicant's copy says, how it is signed and given (Clauses R19-R23)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from uuid import UUID

from chassis.errors import FailedPrecondition, NotFound
from services.access.cases.rules.applications import Way
from services.access.cases.rules.refusals import RefusalGround, RefusalReason
from services.access.cases.rules.statements import ApplicationKind
from services.access.people.rules.guardianships import AuthorityEnd
from services.access.people.rules.names import PersonName
from services.access.people.rules.regulations import Regulation

_HEAD = "директор"


class SigningWay(IntEnum):
    """How the head signed a paper; numbers of diary.access.v1.SigningWay."""

    PAPER = 1
    ELECTRONIC = 2


class DecisionChannel(IntEnum):
    """How a paper reached its applicant; numbers of diary.access.v1.DecisionChannel."""

    IN_PERSON = 1
    EMAIL = 2
    POST = 3


GIVEN = {
    DecisionChannel.IN_PERSON: "решение выдано лично",
    DecisionChannel.EMAIL: "решение отправлено по электронной почте",
    DecisionChannel.POST: "решение отправлено почтой",
}
UPLOADED = {
    SigningWay.PAPER: "загружена скан-копия решения, подписанного на бумаге",
    SigningWay.ELECTRONIC: "загружен файл электронной подписи решения, её сертификат не проверялся",
}
CONFIRMED = "скан-копия решения подтверждена"
NOT_DELIVERED = "решение не доставлено по электронной почте: выдайте лично"


@dataclass(frozen=True, slots=True)
class Signing:
    """How a paper was signed, who brought the scan or the signature file, and which head confirmed the scan; None of earlier
    ones of whom it was not told.
    """

    way: SigningWay
    uploader_account_id: UUID | None
    confirmer_account_id: UUID | None


@dataclass(frozen=True, slots=True)
class Signer:
    """The head who decided, by the appointment of that moment; `order…` of an acting head's."""

    name: PersonName
    is_acting: bool
    order_number: str
    order_date: date


@dataclass(frozen=True, slots=True)
class Decision:
    """An applicant's copy of a refusal. `student_name` is None, and the class empty, where it must not tell of the child."""

    application_id: UUID
    applicant_id: UUID
    account_id: UUID | None
    class_id: UUID | None
    year: int
    number: int
    decide_time: datetime
    applicant_name: PersonName
    applicant_email: str
    application_year: int
    application_number: int
    register_time: datetime
    kind: ApplicationKind
    regulation: Regulation
    ground: RefusalGround
    reason: RefusalReason
    student_name: PersonName | None
    class_name: str
    fact_date: date | None
    fact_order_number: str
    authority_end: AuthorityEnd | None
    access_end_time: datetime | None
    paper_number: int | None
    paper_year: int | None
    declines_printouts: bool
    keeps_student_access: bool
    keeps_guardian_access: bool
    is_own_statement_of_student: bool
    signer: Signer
    preparer_name: PersonName


@dataclass(frozen=True, slots=True)
class DecisionPaper:
    """An applicant's copy as documents and notify have told of it; what is not yet is None."""

    document_id: UUID
    application_id: UUID
    applicant_id: UUID
    issue_time: datetime
    signing_way: SigningWay | None
    sign_time: datetime | None
    channel: DecisionChannel | None
    deliver_time: datetime | None
    delivered_by: PersonName | None


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where an applicant wants the decision; `class_id` is the student's on the day of the decision."""

    way: Way
    email: str
    is_given: bool
    school_name: str
    application_year: int
    application_number: int
    application_date: date
    class_id: UUID | None


def write_position(signer: Signer, head_position: str) -> str:
    """Who decided, as the paper prints it (Clause R22)."""
    position = head_position or _HEAD
    if not signer.is_acting:
        return position[:1].upper() + position[1:]
    return f"Исполняющий обязанности руководителя (приказ от {signer.order_date:%d.%m.%Y} № {signer.order_number})"


def may_tell_of_child(reason: RefusalReason) -> bool:
    """Whether the paper may name the child: never to one whose relation is not proved (Clause R19)."""
    return reason is not RefusalReason.RELATION_NOT_PROVED


def require_ready(paper: DecisionPaper | None) -> DecisionPaper:
    """The paper that can be given (Clauses R22, R23). Raises FailedPrecondition DECISION_NOT_READY, DECISION_NOT_SIGNED."""
    if paper is None:
        raise FailedPrecondition("DECISION_NOT_READY", "the decision's paper is not made yet; look at the case again")
    if paper.signing_way is None:
        raise FailedPrecondition("DECISION_NOT_SIGNED", "upload the scan of the signed paper or the signature file first")
    return paper


def require_receiver(receiver: Receiver | None) -> Receiver:
    """The receiver of a letter with the decision (Clause R23).

    Raises NotFound APPLICATION_NOT_FOUND, FailedPrecondition DELIVERY_NOT_WANTED.
    """
    if receiver is None:
        raise NotFound("APPLICATION_NOT_FOUND", "no such applicant of a refused case")
    if receiver.way is not Way.EMAIL or not receiver.email or receiver.is_given:
        raise FailedPrecondition("DELIVERY_NOT_WANTED", "the decision is not wanted by e-mail, or was given already")
    return receiver
