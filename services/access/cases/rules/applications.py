"""Cases of applications for access: filing, terms, the checklist, the decision (Clauses R1, R2, R5, R6, R9-R12, R15, R24)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import IntEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.calendar import WorkingCalendar, YearUnknownError, clock_start, due_time
from chassis.errors import FailedPrecondition, NotFound
from services.access.cases.rules.statements import ApplicationKind, PaperWish
from services.access.people.rules.guardianships import (
    OWN_CARE_AGE,
    WORDS,
    Authority,
    AuthorityEnd,
    GuardianKind,
    find_authority_end,
    is_authority_in_force,
    is_under,
)
from services.access.people.rules.names import PersonName, build_display_name
from services.access.people.rules.regulations import Regulation
from services.access.people.rules.roles import Role
from services.access.people.rules.students import REGISTERING, Enrolment, StudentCard
from services.access.rights.rules.grants import write_application_number

CLAUSE = "R15"
READING = REGISTERING | {Role.HEAD}
# Clause R22: the head; the acting head is appointed to the role by order and dates.
SIGNING = frozenset({Role.HEAD})


class State(IntEnum):
    """States of a case; numbers of diary.access.v1.ApplicationState."""

    REGISTERED = 1
    WAITS_FOR_ENROLMENT = 2
    GRANTED = 3
    REFUSAL_PROPOSED = 4
    REFUSED = 5
    WITHDRAWN = 6


# Clause R24: a case ends in one of these.
DECIDED = frozenset({State.GRANTED, State.REFUSED, State.WITHDRAWN})


class Way(IntEnum):
    """How credentials are wanted; numbers of diary.access.v1.CredentialsWay."""

    IN_PERSON = 1
    EMAIL = 2


@dataclass(frozen=True, slots=True)
class NewApplicant:
    """An applicant to be written: the person is in the tables, a guardianship where the school knows of one already."""

    person_id: UUID
    guardianship_id: UUID | None
    kind: GuardianKind | None
    authority: Authority
    email: str
    way: Way
    paper: PaperWish


@dataclass(frozen=True, slots=True)
class Term:
    """The state in which a case begins, and its term (Clause R15); both times are None while no enrolment is known."""

    state: State
    start_time: datetime | None
    due_time: datetime | None


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case to be written."""

    kind: ApplicationKind
    student_id: UUID
    regulation_id: UUID
    channel: int
    receive_time: datetime
    register_time: datetime
    year: int
    term: Term


@dataclass(frozen=True, slots=True)
class Applicant:
    """An applicant of a case. The account is None before the decision of a person without one.

    The guardianship is None while what was filed proves the relation alone: the granting makes it. `held_to` is the day after
    its last, `ending` the act that ended it before its term.
    """

    applicant_id: UUID
    application_id: UUID
    person_id: UUID
    name: PersonName
    kind: GuardianKind | None
    authority: Authority
    email: str
    way: Way
    guardianship_id: UUID | None
    is_guardianship_in_force: bool
    held_to: date | None
    ending: AuthorityEnd | None
    due_time: datetime | None
    met_time: datetime | None
    grant_id: UUID | None
    account_id: UUID | None
    login: str
    is_activated: bool
    has_access: bool
    slip_time: datetime | None
    hand_over_time: datetime | None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A line of the case log (Clause R2)."""

    time: datetime
    actor: PersonName | None
    state: State
    ground: str


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """What must hold before access is granted; `evidence` is the fact it was decided by, for people."""

    clause: str
    is_met: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Case:
    """A case with its student. A waiting case counts as registered from the moment its enrolment begins.

    `is_own`: the caller is one of its applicants.
    """

    application_id: UUID
    kind: ApplicationKind
    year: int
    number: int
    receive_time: datetime
    register_time: datetime
    register_date: date
    channel: int
    state: State
    start_time: datetime | None
    version: int
    regulation: Regulation
    student: StudentCard
    applicants: Sequence[Applicant] = field(default=())
    is_own: bool = False


def require_case(case: Case | None, roles: frozenset[Role], *, or_own: bool = False) -> Case:
    """The case. Raises NotFound APPLICATION_NOT_FOUND, alike for absent, another class's and another school's."""
    if case is None or not (case.student.caller_roles & roles or (or_own and case.is_own)):
        raise NotFound("APPLICATION_NOT_FOUND", "no such case that the caller may open")
    return case


def begin(received: datetime, now: datetime, enrolment: Enrolment | None, calendar: WorkingCalendar, zone: ZoneInfo) -> Term:
    """The state and the term of a case registered now (Clause R15): the clock starts at the later of receipt and enrolment.

    Raises FailedPrecondition CALENDAR_UNKNOWN when the term reaches a year whose days off are not known.
    """
    if enrolment is None:
        return Term(State.WAITS_FOR_ENROLMENT, None, None)
    start = clock_start(received, enrolment.from_date, zone)
    due = _count_due(start, calendar, zone)
    return Term(State.REGISTERED if start <= now else State.WAITS_FOR_ENROLMENT, start, due)


def begin_statement(received: datetime, calendar: WorkingCalendar, zone: ZoneInfo) -> Term:
    """The term of the decision on a statement: the same two working days (decisions 4, 5).

    Raises FailedPrecondition CALENDAR_UNKNOWN.
    """
    return Term(State.REGISTERED, received, _count_due(received, calendar, zone))


def _count_due(start: datetime, calendar: WorkingCalendar, zone: ZoneInfo) -> datetime:
    try:
        return due_time(start, calendar, zone)
    except YearUnknownError as error:
        year = str(error.year)
        raise FailedPrecondition("CALENDAR_UNKNOWN", f"the working calendar of {year} is not known", {"year": year}) from error


def build_checklist(case: Case, day: date) -> list[ChecklistItem]:
    """What must hold before access is granted, on a day of the school's zone (Clauses R10, R11, R12, R6); of a statement
    nothing.
    """
    if case.kind is not ApplicationKind.APPENDIX_1:
        return []
    student = case.student
    enrolment = student.enrolment if student.enrolment and student.enrolment.from_date <= day else None
    is_complete = student.birth_date is not None
    relations = [_prove_relation(applicant, case, day) for applicant in case.applicants]
    return [
        _item("R10", _write_order(enrolment) if enrolment else ""),
        _item("R11", f"данные внесены, {_write_class(student.class_name)}" if is_complete and student.is_placed else ""),
        _item("R12", f"№ {write_application_number(case.number, case.year)} от {case.register_date:%d.%m.%Y}"),
        _item("R6", "; ".join(relations) if all(relations) else ""),
    ]


def _write_class(title: str) -> str:
    return title if "класс" in title.casefold() else f"класс {title}"


def _write_order(enrolment: Enrolment) -> str:
    if enrolment.order_date is None:
        return ""
    return f"приказ от {enrolment.order_date:%d.%m.%Y} № {enrolment.order_number}"


def require_complete(checklist: Iterable[ChecklistItem]) -> None:
    """Raises FailedPrecondition CHECKLIST_INCOMPLETE with the clauses that lack."""
    lacking = ",".join(item.clause for item in checklist if not item.is_met)
    if lacking:
        raise FailedPrecondition("CHECKLIST_INCOMPLETE", f"not yet fulfilled: {lacking}", {"clauses": lacking})


def require_grantable(case: Case) -> None:
    """Raises FailedPrecondition NOTHING_TO_GRANT, APPLICATION_DECIDED."""
    if case.kind is not ApplicationKind.APPENDIX_1:
        raise FailedPrecondition("NOTHING_TO_GRANT", "a statement of Appendix 2 or 3 asks for no access")
    if case.state in DECIDED:
        raise FailedPrecondition("APPLICATION_DECIDED", "the case is already decided")


def require_withdrawable(case: Case) -> None:
    """Clause R24; of two guardians neither withdraws the other's application by the own door.

    Raises FailedPrecondition NOTHING_TO_WITHDRAW, APPLICATION_DECIDED, WITHDRAWAL_OF_ANOTHER.
    """
    if case.kind is not ApplicationKind.APPENDIX_1:
        raise FailedPrecondition("NOTHING_TO_WITHDRAW", "a statement has had its effect; a new application gives access again")
    if case.state in DECIDED:
        raise FailedPrecondition("APPLICATION_DECIDED", "the case is already decided")
    is_by_staff = bool(case.student.caller_roles & REGISTERING)
    if not is_by_staff and sum(applicant.kind is not None for applicant in case.applicants) > 1:
        raise FailedPrecondition(
            "WITHDRAWAL_OF_ANOTHER", "the application is another guardian's too: withdraw it at the school"
        )


def require_showing(case: Case, applicant_id: UUID) -> Applicant:
    """The applicant of an undecided application whose relation a document is to show (Clause R6). Raises NotFound
    APPLICATION_NOT_FOUND, FailedPrecondition NOTHING_TO_GRANT, APPLICATION_DECIDED, NOTHING_TO_SHOW.
    """
    require_grantable(case)
    applicant = next((one for one in case.applicants if one.applicant_id == applicant_id), None)
    if applicant is None:
        raise NotFound("APPLICATION_NOT_FOUND", "no such applicant of the case")
    # A relation whose term is over is shown anew; one that an act has ended is not shown but by a new application.
    stands = applicant.is_guardianship_in_force or applicant.ending is not None
    is_on_record = applicant.guardianship_id is not None and stands
    if applicant.kind is None or is_on_record:
        raise FailedPrecondition("NOTHING_TO_SHOW", "the student applies, or the relation is on record")
    return applicant


def write_decision(checklist: Iterable[ChecklistItem]) -> str:
    """The ground of a granting, for the log: the facts it was decided by."""
    return "доступ предоставлен: " + "; ".join(item.evidence for item in checklist)


def find_slip_to_hand_over(case: Case, applicant_id: UUID) -> Applicant:
    """The applicant whose slip lies ready. Raises NotFound APPLICATION_NOT_FOUND, FailedPrecondition NOT_HANDED_OVER_YET."""
    applicant = next((one for one in case.applicants if one.applicant_id == applicant_id), None)
    if applicant is None:
        raise NotFound("APPLICATION_NOT_FOUND", "no such applicant of the case")
    if applicant.slip_time is None or (applicant.hand_over_time and applicant.slip_time <= applicant.hand_over_time):
        raise FailedPrecondition("NOT_HANDED_OVER_YET", "the applicant has no slip to hand over yet")
    return applicant


def write_applicant(applicant: Applicant) -> str:
    """An applicant in the log: the name and whose relation it is."""
    return write_person(applicant.name, applicant.kind)


def write_person(name: PersonName, kind: GuardianKind | None) -> str:
    """A person in the log with the relation to the student; without one the student."""
    return f"{build_display_name(name)} ({WORDS[kind] if kind else 'обучающийся'})"


def may_tell_of_child(case: Case, person_id: UUID, day: date) -> bool:
    """Whether an applicant may read in the case who the child is (Clause R19): one whose relation is proved, of whatever kind
    the case is, since staff enter statements as they are told.
    """
    return any(is_relation_proved(one, case, day) for one in case.applicants if one.person_id == person_id)


def is_relation_proved(applicant: Applicant, case: Case, day: date) -> bool:
    """Whether an applicant's relation to the student is proved on a day (Clause R6)."""
    return bool(_prove_relation(applicant, case, day))


def _item(clause: str, evidence: str) -> ChecklistItem:
    return ChecklistItem(clause, bool(evidence), evidence)


def _prove_relation(applicant: Applicant, case: Case, day: date) -> str:
    """The proved relation in words, empty when it is not proved."""
    if applicant.kind is None:
        is_young = is_under(case.student.birth_date, OWN_CARE_AGE, day)
        has_guardian = any(other.kind for other in case.applicants)
        return "" if is_young and not has_guardian else "сам обучающийся"
    held, authority = applicant.is_guardianship_in_force, applicant.authority
    if applicant.guardianship_id is None:
        shown = applicant.kind, case.student.birth_date, authority, case.register_date, day
        held = applicant.ending is None and is_authority_in_force(*shown)
    if not held or not authority.document:
        return ""
    to_date = find_authority_end(applicant.kind, authority)
    until = f", действует по {to_date - timedelta(days=1):%d.%m.%Y}" if to_date else ""
    return f"{build_display_name(applicant.name)} — {WORDS[applicant.kind]}, {authority.document}{until}"
