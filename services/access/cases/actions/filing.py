"""Registers an application or a statement with its people, number and term (Clauses R1, R2, R5, R6, R12, R15, R19, R30-R33).

An application leaves nothing of its people but the case: its granting makes the guardianship. A statement acts at once, so the
relation that its signer shows is kept with it; who shows none signs without effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis import outbox
from chassis.calendar import WorkingCalendar
from chassis.clock import Clock
from chassis.db import Connection
from chassis.errors import FailedPrecondition, FieldViolation, NotFound
from services.access.cases.actions.statements import carry_out
from services.access.cases.convert.applications import application_registered
from services.access.cases.rules import applications as rules
from services.access.cases.rules.applications import Applicant, Case, NewApplicant, NewCase
from services.access.cases.rules.filing import Filed, require_new_person
from services.access.cases.rules.statements import ApplicationKind
from services.access.cases.store import applications as store
from services.access.cases.store import case_log
from services.access.cases.store.applicants import insert_applicants, list_known, may_apply_anew, set_authority
from services.access.people.rules.guardianships import Authority, GuardianKind, plan_guardianship
from services.access.people.rules.regulations import MODEL_REGULATION
from services.access.people.rules.students import StudentCard
from services.access.people.store import guardianships, people, regulations
from services.access.rights.rules.grants import write_application_number

_CHANNELS = {1: "подано лично", 2: "подано через классного руководителя", 3: "получено по почте", 4: "подано через сервис"}


@dataclass(frozen=True, slots=True)
class Filing:
    """What is registered: by whom, of whom, how and when it came. `filed` as rules.filing.plan_applicants left it."""

    kind: ApplicationKind
    school_id: UUID
    account_id: UUID
    student: StudentCard
    filed: Sequence[Filed]
    channel: int
    receive_time: datetime


async def register(connection: Connection, clock: Clock, calendar: WorkingCalendar, zone: ZoneInfo, filing: Filing) -> UUID:
    """Writes the case, its log and its event in the caller's transaction, in `db.school`, after `lock_registering`; returns its
    id.

    Raises what rules.begin and plan_guardianship raise, NotFound PERSON_NOT_FOUND and FailedPrecondition RELATION_NOT_SHOWN,
    APPLICANT_KNOWN.
    """
    now = clock.now()
    day = now.astimezone(zone).date()
    is_statement = filing.kind is not ApplicationKind.APPENDIX_1
    if is_statement:
        term = rules.begin_statement(filing.receive_time, calendar, zone)
    else:
        term = rules.begin(filing.receive_time, now, filing.student.enrolment, calendar, zone)
    regulation_id = await _find_regulation(connection, filing.school_id, filing.receive_time.astimezone(zone).date())
    applicants = [
        await _admit(connection, filing, filed, f"applicants[{index}]", day, now) for index, filed in enumerate(filing.filed)
    ]
    student_id = filing.student.student_id
    if is_statement:
        applicants = [await _keep_relation(connection, filing, applicant, day) for applicant in applicants]
        _require_one_door(applicants)
        await people.lock_people(connection, filing.school_id, [applicant.person_id for applicant in applicants])
    case = NewCase(filing.kind, student_id, regulation_id, filing.channel, filing.receive_time, now, year=day.year, term=term)
    # From here on the counter is held: nothing below waits for another case.
    application_id, number = await store.insert_case(connection, filing.school_id, case)
    await insert_applicants(connection, filing.school_id, application_id, applicants, case)
    ground = f"{_CHANNELS[filing.channel]}; зарегистрировано за № {write_application_number(number, day.year)}"
    await case_log.insert_log_entry(connection, filing.school_id, application_id, filing.account_id, term.state, ground, now)
    await outbox.add(connection, clock, application_registered(filing.school_id, application_id), filing.school_id)
    if is_statement:
        await carry_out(connection, clock, filing.school_id, application_id, student_id, filing.account_id, day)
    return application_id


async def show_authority(
    connection: Connection,
    school_id: UUID,
    case: Case,
    applicant: Applicant,
    authority: Authority,
    account_id: UUID,
    now: datetime,
) -> None:
    """Notes the document that an applicant of a locked case shows, in place of the one filed, which the log keeps (Clauses R2,
    R6).
    """
    await set_authority(connection, school_id, applicant.applicant_id, authority)
    await store.touch_case(connection, school_id, case.application_id)
    before = f"; прежде: {applicant.authority.document}" if applicant.authority.document else ""
    ground = f"предъявлен документ: {rules.write_applicant(applicant)}, {authority.document}{before}"
    await case_log.insert_log_entry(connection, school_id, case.application_id, account_id, case.state, ground, now)


async def _find_regulation(connection: Connection, school_id: UUID, day: date) -> UUID:
    """The version in force on the day of filing; a school that has adopted none gets the model one (Clause R1)."""
    regulation_id = await regulations.find_regulation_id(connection, school_id, day)
    if regulation_id is None:
        await regulations.insert_regulation(connection, school_id, MODEL_REGULATION)
        regulation_id = await regulations.find_regulation_id(connection, school_id, day)
    assert regulation_id is not None
    return regulation_id


async def _admit(connection: Connection, filing: Filing, filed: Filed, path: str, day: date, now: datetime) -> NewApplicant:
    """The applicant's person: the student, a guardian on record, one who shows a relation to this student, or a new person. A
    refusal names the applicant by `path`, since two may apply.
    """
    school_id, student = filing.school_id, filing.student
    if filed.person_id == student.student_id:
        return _applicant(filed, student.student_id, None, None, filed.authority)
    held = None
    if filed.person_id is not None:
        held = await guardianships.find_guardianship(connection, school_id, filed.person_id, student.student_id, day)
    if held is not None and filed.person_id is not None:
        plan_guardianship(held.kind, student.birth_date, day, path=path)
        authority = filed.authority if filed.authority.document else held.authority
        return _applicant(filed, filed.person_id, held.guardianship_id, held.kind, authority)
    if filed.person_id is not None:
        who = filed.person_id, student.student_id, filing.account_id, now
        if filed.kind is None or not await may_apply_anew(connection, school_id, *who):
            violation = FieldViolation(f"{path}.person_id", "no such person among the student's guardians")
            raise NotFound("PERSON_NOT_FOUND", violation.description, violations=(violation,))
    assert filed.kind is not None
    plan_guardianship(filed.kind, student.birth_date, day, path=path)
    if filed.person_id is None:
        require_new_person(filed, await list_known(connection, school_id, student.student_id), path)
    person_id = filed.person_id or await people.insert_person(connection, school_id, filed.name)
    return _applicant(filed, person_id, None, filed.kind, filed.authority)


def _applicant(
    filed: Filed, person_id: UUID, guardianship_id: UUID | None, kind: GuardianKind | None, authority: Authority
) -> NewApplicant:
    return NewApplicant(person_id, guardianship_id, kind, authority, filed.email, filed.way, filed.paper)


async def _keep_relation(connection: Connection, filing: Filing, applicant: NewApplicant, day: date) -> NewApplicant:
    """A signer of a statement with the guardianship that the document shows; as it is without one."""
    if applicant.kind is None or applicant.guardianship_id is not None or not applicant.authority.document:
        return applicant
    periods = plan_guardianship(applicant.kind, filing.student.birth_date, day, applicant.authority)
    if not periods:
        return applicant
    ids = filing.school_id, applicant.person_id, filing.student.student_id
    guardianship_id = await guardianships.insert_guardianship(connection, *ids, applicant.authority.document, periods)
    return replace(applicant, guardianship_id=guardianship_id)


def _require_one_door(signers: Sequence[NewApplicant]) -> None:
    """What two sign is decided at once (Clauses R19, R21): both have shown the relation, or neither.

    Raises FailedPrecondition RELATION_NOT_SHOWN.
    """
    shown = {signer.kind is None or signer.guardianship_id is not None for signer in signers}
    if len(shown) > 1:
        raise FailedPrecondition("RELATION_NOT_SHOWN", "one of the signers shows no relation: register that statement apart")
