"""Ends a case without an access: refusals, proposed and signed by the head, and withdrawals (Clauses R19-R24)."""

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis import metrics, outbox
from chassis.clock import Clock
from chassis.db import Connection
from services.access.convert import applications as convert
from services.access.rules.applications import CLAUSE, Case, State
from services.access.rules.refusals import (
    GROUND_WORDS,
    Proof,
    Refusal,
    RefusalGround,
    prove_ground,
    require_printable,
    write_refusal_number,
)
from services.access.store import applications, schools
from services.access.store import refusals as store


async def propose(
    connection: Connection, school_id: UUID, case: Case, ground: RefusalGround, account_id: UUID, now: datetime, zone: ZoneInfo
) -> None:
    """Notes the proposal for a locked case with its evidence.

    Raises FailedPrecondition SCHOOL_DETAILS_MISSING, GROUND_NOT_PROVED.
    """
    require_printable((await schools.get_detailed(connection, school_id)).details, case.regulation)
    proof = await _prove(connection, school_id, case, ground, now.astimezone(zone).date())
    await store.save_proposal(connection, school_id, case.application_id, ground, proof, account_id, now)
    await store.set_state(connection, school_id, case.application_id, State.REFUSAL_PROPOSED)
    words = f"подготовлен отказ, основание: {GROUND_WORDS[ground]}; {proof.evidence}"
    await applications.insert_log_entry(
        connection, school_id, case.application_id, account_id, State.REFUSAL_PROPOSED, words, now
    )


async def sign(
    connection: Connection, clock: Clock, school_id: UUID, case: Case, refusal: Refusal, account_id: UUID, zone: ZoneInfo
) -> None:
    """Signs the refusal of a locked case: proved again, numbered, logged; its deadlines are met (decision 4).

    Raises FailedPrecondition SCHOOL_DETAILS_MISSING, GROUND_NOT_PROVED.
    """
    now = clock.now()
    require_printable((await schools.get_detailed(connection, school_id)).details, case.regulation)
    day = now.astimezone(zone).date()
    proof = await _prove(connection, school_id, case, refusal.ground, day)
    number = await store.sign(connection, school_id, case.application_id, proof, account_id, day.year, now)
    await applications.decide_case(connection, school_id, case.application_id, State.REFUSED, now)
    subjects = [applicant.applicant_id for applicant in case.applicants]
    written = write_refusal_number(number, day.year)
    for in_time in await store.meet_deadlines(connection, school_id, subjects, f"refusal {written}", now):
        metrics.deadlines_met.labels(CLAUSE, str(in_time).lower()).inc()
    words = f"отказ подписан, решение № {written}, основание: {GROUND_WORDS[refusal.ground]}; {proof.evidence}"
    await applications.insert_log_entry(connection, school_id, case.application_id, account_id, State.REFUSED, words, now)
    await outbox.add(connection, clock, convert.application_decided(school_id, case.application_id, State.REFUSED), school_id)


async def withdraw(connection: Connection, clock: Clock, school_id: UUID, case: Case, account_id: UUID) -> None:
    """Ends a locked undecided case as its applicant wishes; its deadlines end with it (Clause R24)."""
    now = clock.now()
    await applications.decide_case(connection, school_id, case.application_id, State.WITHDRAWN, now)
    await store.meet_deadlines(connection, school_id, [one.applicant_id for one in case.applicants], "withdrawn", now)
    words = f"заявление отозвано заявителем{'' if case.is_own else ', отзыв записан школой'}"
    await applications.insert_log_entry(connection, school_id, case.application_id, account_id, State.WITHDRAWN, words, now)
    decided = convert.application_decided(school_id, case.application_id, State.WITHDRAWN)
    await outbox.add(connection, clock, decided, school_id)


async def _prove(connection: Connection, school_id: UUID, case: Case, ground: RefusalGround, day: date) -> Proof:
    last = await store.find_last_enrolment(connection, school_id, case.student.student_id, day)
    return prove_ground(case, ground, day, last)
