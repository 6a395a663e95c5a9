"""Ends guardianships and enrolments with everything that stands on them (Clauses R6, R8, R13)."""

from dataclasses import dataclass
from datetime import date
from itertools import chain
from uuid import UUID

from chassis import outbox
from chassis.clock import Clock, today
from chassis.db import Connection
from chassis.errors import FailedPrecondition, NotFound
from diary.access.v1 import roster_pb2
from services.access.people.actions.declarations import end_paper_mode
from services.access.people.convert import changes as convert
from services.access.people.rules.guardianships import AuthorityEnd, AuthorityEnding, check_end
from services.access.people.store import schools
from services.access.rights.actions.ending_grants import end_grants
from services.access.rights.actions.relations import write_relations
from services.access.rights.rules.grants import EndGround, Ending
from services.access.rights.rules.relations import derive_from_grant
from services.access.rights.store import grants, relations
from services.access.roster.store import leaving as store


@dataclass(frozen=True, slots=True)
class Leaving:
    """A student's last day, by the order of leaving."""

    student_id: UUID
    last_day: date
    order_number: str
    order_date: date


@dataclass(frozen=True, slots=True)
class Parting:
    """How a guardianship ends: the ground in words, the kind, and the act where it is one."""

    guardianship_id: UUID
    ground: str
    ending: AuthorityEnding
    act_number: str
    act_date: date | None


async def end_guardianship(connection: Connection, clock: Clock, school_id: UUID, account_id: UUID, parting: Parting) -> UUID:
    """Ends a guardianship, the guardian's access and paper mode now; returns the student.

    Raises InvalidArgument REQUEST_INVALID, NotFound GUARDIANSHIP_NOT_FOUND.
    """
    day, guardianship_id = today(clock, await schools.get_time_zone(connection, school_id)), parting.guardianship_id
    check_end(parting.ending, parting.act_number, parting.act_date, day)
    held = await store.lock_guardianship(connection, school_id, guardianship_id, day)
    if held is None:
        raise NotFound("GUARDIANSHIP_NOT_FOUND", "no such guardianship in force")
    guardian_id, student_id = held
    open_grants = await grants.lock_open_grants(connection, school_id, student_id, [guardian_id])
    end = AuthorityEnd(parting.ending, day, parting.act_number, parting.act_date)
    await store.end_guardianship(connection, school_id, guardianship_id, parting.ground, end)
    await end_paper_mode(connection, clock, school_id, student_id, [guardian_id])
    ending = Ending(EndGround.GUARDIANSHIP_ENDED, account_id)
    await end_grants(connection, clock, school_id, list(open_grants.values()), ending)
    return student_id


async def end_enrolment(connection: Connection, clock: Clock, school_id: UUID, account_id: UUID, leaving: Leaving) -> None:
    """Ends an enrolment, class and study groups with its last day, and everyone's access with it (Clause R13).

    Raises FailedPrecondition NOT_ENROLLED, PLACED_LATER.
    """
    student_id, zone = leaving.student_id, await schools.get_time_zone(connection, school_id)
    open_grants = list((await grants.lock_open_grants(connection, school_id, student_id)).values())
    if await store.is_placed_after(connection, school_id, student_id, leaving.last_day):
        raise FailedPrecondition("PLACED_LATER", "a class or study group begins after the leaving date")
    groups = await store.end_placements(connection, school_id, student_id, leaving.last_day)
    order = leaving.order_number, leaving.order_date
    if not await store.end_enrolment(connection, school_id, student_id, leaving.last_day, *order):
        raise FailedPrecondition("NOT_ENROLLED", "the student has no enrolment that the day belongs to")
    if leaving.last_day < today(clock, zone):
        await end_grants(connection, clock, school_id, open_grants, Ending(EndGround.LEFT, account_id))
    else:
        facts = await relations.get_grant_facts(connection, school_id, open_grants)
        derived = list(chain.from_iterable(derive_from_grant(fact, zone) for fact in facts))
        await write_relations(connection, clock, school_id, derived)
    for message in chain(
        convert.roster_changed(school_id, roster_pb2.ROSTER_KIND_STUDENT, [student_id]),
        convert.roster_changed(school_id, roster_pb2.ROSTER_KIND_STUDY_GROUP, groups),
    ):
        await outbox.add(connection, clock, message, school_id)
