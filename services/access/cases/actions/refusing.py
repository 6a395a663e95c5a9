"""Ends a case without an access: refusals, proposed and signed by the head, and withdrawals (Clauses R19-R24)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis import metrics, outbox
from chassis.clock import Clock
from chassis.db import Connection
from services.access.cases.convert import applications as convert
from services.access.cases.rules.applications import CLAUSE, Case, State
from services.access.cases.rules.refusals import (
    GROUND_WORDS,
    Proof,
    Refusal,
    RefusalGround,
    prove_ground,
    require_printable,
    write_refusal_number,
)
from services.access.cases.store import applications, case_log
from services.access.cases.store import refusals as store
from services.access.people.store import schools


async def propose(
    connection: Connection, school_id: UUID, case: Case, ground: RefusalGround, account_id: UUID, now: datetime, zone: ZoneInfo
) -> None:
    """Notes the proposal for a locked case with its evidence.

    Raises FailedPrecondition SCHOOL_DETAILS_MISSING, GROUND_NOT_PROVED.
    """
    require_printable((await schools.get_detailed(connection, school_id)).details, case.regulation)
    [proof] = (await _prove(connection, school_id, {case.application_id: (case, ground)}, now.astimezone(zone).date())).values()
    await store.save_proposal(connection, school_id, case.application_id, ground, proof, account_id, now)
    await store.set_state(connection, school_id, case.application_id, State.REFUSAL_PROPOSED)
    words = f"подготовлен отказ, основание: {GROUND_WORDS[ground]}; {proof.evidence}"
    await case_log.insert_log_entry(connection, school_id, case.application_id, account_id, State.REFUSAL_PROPOSED, words, now)


async def sign(
    connection: Connection,
    clock: Clock,
    school_id: UUID,
    proposed: Sequence[tuple[Case, Refusal]],
    account_id: UUID,
    zone: ZoneInfo,
) -> None:
    """Signs the refusals of locked cases: proved again, numbered in their order, logged; their deadlines are met (decision 4).

    A statement a kind, however many there are. Raises FailedPrecondition SCHOOL_DETAILS_MISSING, GROUND_NOT_PROVED.
    """
    now = clock.now()
    details = (await schools.get_detailed(connection, school_id)).details
    for case, _ in proposed:
        require_printable(details, case.regulation)
    grounds = {case.application_id: (case, refusal.ground) for case, refusal in proposed}
    day = now.astimezone(zone).date()
    proofs = await _prove(connection, school_id, grounds, day)
    numbers = await store.sign(connection, school_id, proofs, account_id, day.year, now)
    written = {application_id: write_refusal_number(number, day.year) for application_id, number in numbers.items()}
    await applications.decide_cases(connection, school_id, list(grounds), State.REFUSED, now)
    evidence = {
        applicant.applicant_id: f"refusal {written[case.application_id]}"
        for case, _ in proposed
        for applicant in case.applicants
    }
    for in_time in await store.meet_deadlines(connection, school_id, evidence, now):
        metrics.deadlines_met.labels(CLAUSE, str(in_time).lower()).inc()
    words = {
        key: f"отказ подписан, решение № {written[key]}, основание: {GROUND_WORDS[ground]}; {proofs[key].evidence}"
        for key, (_, ground) in grounds.items()
    }
    await case_log.insert_log_entries(connection, school_id, words, account_id, State.REFUSED, now)
    decided = [convert.application_decided(school_id, application_id, State.REFUSED) for application_id in grounds]
    await outbox.add_all(connection, clock, decided, school_id)


async def withdraw(connection: Connection, clock: Clock, school_id: UUID, case: Case, account_id: UUID) -> None:
    """Ends a locked undecided case as its applicant wishes; its deadlines end with it (Clause R24)."""
    now = clock.now()
    await applications.decide_cases(connection, school_id, [case.application_id], State.WITHDRAWN, now)
    evidence = {applicant.applicant_id: "withdrawn" for applicant in case.applicants}
    await store.meet_deadlines(connection, school_id, evidence, now)
    words = f"заявление отозвано заявителем{'' if case.is_own else ', отзыв записан школой'}"
    await case_log.insert_log_entry(connection, school_id, case.application_id, account_id, State.WITHDRAWN, words, now)
    decided = convert.application_decided(school_id, case.application_id, State.WITHDRAWN)
    await outbox.add(connection, clock, decided, school_id)


async def _prove(
    connection: Connection, school_id: UUID, grounds: Mapping[UUID, tuple[Case, RefusalGround]], day: date
) -> dict[UUID, Proof]:
    """What proves each case's ground, by case. Raises FailedPrecondition GROUND_NOT_PROVED."""
    student_ids = [case.student.student_id for case, _ in grounds.values()]
    last = await store.list_last_enrolments(connection, school_id, student_ids, day)
    return {
        application_id: prove_ground(case, ground, day, last.get(case.student.student_id))
        for application_id, (case, ground) in grounds.items()
    }
