"""Registers an application or a statement with its people, number and term (Clauses R1, R2, R5, R6, R12, R15, R30-R33)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis import outbox
from chassis.calendar import WorkingCalendar
from chassis.clock import Clock
from chassis.db import Connection
from chassis.errors import NotFound
from services.access.actions.statements import carry_out
from services.access.convert.applications import application_registered
from services.access.rules import applications as rules
from services.access.rules.applications import NewApplicant, NewCase, StudentCard
from services.access.rules.filing import Filed
from services.access.rules.guardianships import plan_guardianship
from services.access.rules.statements import ApplicationKind
from services.access.store import applications as store
from services.access.store import people

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
    """Writes the case, its log and its event in the caller's transaction, in `db.school`; returns its id.

    Raises what rules.begin and plan_guardianship raise, and NotFound PERSON_NOT_FOUND.
    """
    now = clock.now()
    day = now.astimezone(zone).date()
    is_statement = filing.kind is not ApplicationKind.APPENDIX_1
    if is_statement:
        term = rules.begin_statement(filing.receive_time, calendar, zone)
    else:
        term = rules.begin(filing.receive_time, now, filing.student.enrolment, calendar, zone)
    regulation_id = await _find_regulation(connection, filing.school_id, filing.receive_time.astimezone(zone).date())
    applicants = [await _admit(connection, filing.school_id, filing.student, filed, day) for filed in filing.filed]
    student_id = filing.student.student_id
    if is_statement:
        await people.lock_people(connection, filing.school_id, [applicant.person_id for applicant in applicants])
    case = NewCase(filing.kind, student_id, regulation_id, filing.channel, filing.receive_time, now, year=day.year, term=term)
    # From here on the counter is held: nothing below waits for another case.
    application_id, number = await store.insert_case(connection, filing.school_id, case)
    await store.insert_applicants(connection, filing.school_id, application_id, applicants, case)
    ground = f"{_CHANNELS[filing.channel]}; зарегистрировано за № {rules.write_number(number, day.year)}"
    await store.insert_log_entry(connection, filing.school_id, application_id, filing.account_id, term.state, ground, now)
    await outbox.add(connection, clock, application_registered(filing.school_id, application_id), filing.school_id)
    if is_statement:
        await carry_out(connection, clock, filing.school_id, application_id, student_id, filing.account_id, day)
    return application_id


async def _find_regulation(connection: Connection, school_id: UUID, day: date) -> UUID:
    """The version in force on the day of filing; a school that has adopted none gets the model one (Clause R1)."""
    regulation_id = await store.find_regulation_id(connection, school_id, day)
    if regulation_id is None:
        await store.insert_regulation(connection, school_id, rules.MODEL_REGULATION)
        regulation_id = await store.find_regulation_id(connection, school_id, day)
    assert regulation_id is not None
    return regulation_id


async def _admit(connection: Connection, school_id: UUID, student: StudentCard, filed: Filed, day: date) -> NewApplicant:
    """The applicant's person and guardianship: the student's own, those on record, or new ones by the filed document."""
    if filed.person_id is None:
        return await _admit_new(connection, school_id, student, filed, day)
    if filed.person_id == student.student_id:
        return NewApplicant(student.student_id, None, None, filed.document, filed.email, filed.way, filed.paper)
    held = await people.find_guardianship(connection, school_id, filed.person_id, student.student_id, day)
    if held is None:
        raise NotFound("PERSON_NOT_FOUND", "no such person among the student's guardians")
    plan_guardianship(held.kind, student.birth_date, day)
    document = filed.document or held.document
    return NewApplicant(filed.person_id, held.guardianship_id, held.kind, document, filed.email, filed.way, filed.paper)


async def _admit_new(connection: Connection, school_id: UUID, student: StudentCard, filed: Filed, day: date) -> NewApplicant:
    assert filed.kind is not None
    periods = plan_guardianship(filed.kind, student.birth_date, day)
    person_id = await people.insert_person(connection, school_id, filed.name)
    guardianship_id = await people.insert_guardianship(
        connection, school_id, person_id, student.student_id, filed.document, periods
    )
    return NewApplicant(person_id, guardianship_id, filed.kind, filed.document, filed.email, filed.way, filed.paper)
