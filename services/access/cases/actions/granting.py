"""Grants access to the applicants of a case, keeps the relations they showed, and makes their credentials ready (Clauses R6,
R9, R12, R15, R24-R26).
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from chassis import metrics, outbox
from chassis.clock import Clock, today
from chassis.db import Connection
from services.access.cases.convert import applications as convert
from services.access.cases.rules.applications import CLAUSE, Applicant, Case, ChecklistItem, State, Way, write_decision
from services.access.cases.store import applicants, case_log, statements
from services.access.cases.store import applications as store
from services.access.people.actions.declarations import end_paper_mode
from services.access.people.rules.guardianships import plan_guardianship
from services.access.people.rules.roles import Role
from services.access.people.store import guardianships, schools
from services.access.rights.actions.relations import derive_relations
from services.access.rights.convert.grants import credentials_ready, grant_issued
from services.access.rights.rules.grants import choose_granting_role, write_application_number
from services.access.rights.rules.logins import build_login, choose_login
from services.access.rights.store import accounts, grants
from services.access.rights.store.grants import NewGrant


async def grant_case(
    connection: Connection, clock: Clock, school_id: UUID, case: Case, checklist: Sequence[ChecklistItem], account_id: UUID
) -> None:
    """Grants, relations, events, log and met deadlines of a locked case whose checklist is complete. In the caller's
    transaction, in `db.school`.
    """
    now = clock.now()
    await grants.close_lapsed(connection, school_id, case.student.student_id, now)
    day = today(clock, await schools.get_time_zone(connection, school_id))
    for applicant in case.applicants:
        await _grant(connection, clock, school_id, case, applicant, account_id, day)
    await derive_relations(connection, clock, school_id, [applicant.person_id for applicant in case.applicants])
    ending = await statements.list_ending_their_mode(connection, school_id, case.application_id)
    await end_paper_mode(connection, clock, school_id, case.student.student_id, ending)
    await store.decide_cases(connection, school_id, [case.application_id], State.GRANTED, now)
    ground = write_decision(checklist)
    await case_log.insert_log_entry(connection, school_id, case.application_id, account_id, State.GRANTED, ground, now)
    await outbox.add(connection, clock, convert.application_decided(school_id, case.application_id, State.GRANTED), school_id)


async def _grant(
    connection: Connection, clock: Clock, school_id: UUID, case: Case, applicant: Applicant, granted_by: UUID, day: date
) -> None:
    """One applicant's access; who holds it already keeps the grant that there is."""
    now, student_id = clock.now(), case.student.student_id
    guardianship_id = applicant.guardianship_id
    if guardianship_id is None:
        guardianship_id = await _keep_relation(connection, school_id, case, applicant, day)
    account_id = applicant.account_id or await _open_account(connection, clock, school_id, applicant)
    grant_id = await grants.find_open_grant(connection, school_id, student_id, account_id)
    if grant_id is None:
        grant = NewGrant(
            student_id=student_id,
            account_id=account_id,
            holder_id=applicant.person_id,
            role=Role.GUARDIAN if applicant.kind else Role.STUDENT,
            guardianship_id=guardianship_id,
            application_number=write_application_number(case.number, case.year),
            application_date=case.register_date,
            granted_by_account_id=granted_by,
            granted_by_role=choose_granting_role(case.student.caller_roles),
            grant_time=now,
        )
        grant_id = await grants.insert_grant(connection, school_id, grant)
        event = grant_issued(school_id, grant_id, student_id, account_id)
        await outbox.add(connection, clock, event, school_id)
    if applicant.way is Way.EMAIL and not applicant.is_activated:
        await outbox.add(connection, clock, credentials_ready(school_id, grant_id, account_id), school_id)
    in_time = await applicants.meet_deadline(connection, school_id, applicant.applicant_id, grant_id, now)
    if in_time is not None:
        metrics.deadlines_met.labels(CLAUSE, str(in_time).lower()).inc()


async def _keep_relation(connection: Connection, school_id: UUID, case: Case, applicant: Applicant, day: date) -> UUID | None:
    """The guardianship that the applicant's document shows since the registration, or one that another case of the same person
    has made meanwhile; None for the student.
    """
    if applicant.kind is None:
        return None
    ids = applicant.person_id, case.student.student_id
    held = await guardianships.find_guardianship(connection, school_id, *ids, day)
    if held is not None:
        return held.guardianship_id
    # One of the same person that ran out meanwhile keeps its days.
    shown = max(case.register_date, applicant.held_to or case.register_date)
    periods = plan_guardianship(applicant.kind, case.student.birth_date, shown, applicant.authority)
    guardianship_id = await guardianships.insert_guardianship(
        connection, school_id, *ids, applicant.authority.document, periods
    )
    await applicants.set_guardianship(connection, school_id, applicant.applicant_id, guardianship_id)
    return guardianship_id


async def _open_account(connection: Connection, clock: Clock, school_id: UUID, applicant: Applicant) -> UUID:
    """A new account without an own password; its login is made of the name."""
    while True:
        taken = await accounts.list_logins(connection, build_login(applicant.name))
        login = choose_login(applicant.name, set(taken))
        account_id = await accounts.insert_account(connection, school_id, applicant.person_id, login, clock.now())
        if account_id is not None:
            return account_id
