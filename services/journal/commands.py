"""What an operator runs: the projection rebuilt, the history of marks verified."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from chassis import clients, db
from chassis.auth import ServiceToken
from chassis.clock import SystemClock
from chassis.commands import opened
from diary.access.v1 import roster_service_pb2, roster_service_pb2_grpc, school_service_pb2, school_service_pb2_grpc
from services.journal.marks.rules.history import Misfit, find_misfit
from services.journal.marks.store import history
from services.journal.roster import actions
from services.journal.roster.convert import read_entries

_PAGE = 500
# Classes before courses, relations last: whoever may see something finds it there.
_KINDS = (
    roster_service_pb2.ROSTER_KIND_SCHOOL,
    roster_service_pb2.ROSTER_KIND_CLASS,
    roster_service_pb2.ROSTER_KIND_STUDENT,
    roster_service_pb2.ROSTER_KIND_STUDY_GROUP,
    roster_service_pb2.ROSTER_KIND_RELATION,
)


async def rebuild(app_dsn: str, access_address: str, keys_dir: Path, school_id: UUID | None) -> None:
    """Reads the roster of one school, or of all, and writes what is of a higher version than what is kept."""
    token = ServiceToken(keys_dir, "journal", SystemClock())
    async with (
        opened("journal", app_dsn) as database,
        clients.connect(access_address, token, seconds=30, waits=True) as channel,
    ):
        roster = roster_service_pb2_grpc.RosterServiceStub(channel)
        for one in [school_id] if school_id else await _list_schools(school_service_pb2_grpc.SchoolServiceStub(channel)):
            entries = await rebuild_school(database, roster, one)
            print(f"rebuild: school {one}: {entries} roster entries", flush=True)


async def _list_schools(schools: school_service_pb2_grpc.SchoolServiceAsyncStub) -> list[UUID]:
    found: list[UUID] = []
    request = school_service_pb2.ListSchoolsRequest(page_size=_PAGE)
    while True:
        answer = await schools.ListSchools(request)
        found += [UUID(school.school_id) for school in answer.schools]
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


async def rebuild_school(database: db.Database, roster: roster_service_pb2_grpc.RosterServiceAsyncStub, school_id: UUID) -> int:
    """Reads all kinds of entries of a school page by page; returns how many came."""
    count = 0
    for kind in _KINDS:
        request = roster_service_pb2.ListRosterRequest(school_id=str(school_id), kind=kind, page_size=_PAGE)
        while True:
            answer = await roster.ListRoster(request)
            async with database.school(school_id) as connection, connection.transaction():
                await actions.apply_entries(connection, school_id, read_entries(answer.entries))
            count += len(answer.entries)
            if not answer.next_page_token:
                break
            request.page_token = answer.next_page_token
    return count


async def verify_history(admin_dsn: str, school_id: UUID | None) -> bool:
    """Recomputes the chains of one school, or of all; prints the first row that does not fit, and returns whether all fit."""
    async with db.owner(admin_dsn, "journal") as connection, connection.transaction(readonly=True, isolation="repeatable_read"):
        for one in [school_id] if school_id else await history.list_schools(connection):
            courses = 0
            async for course_id, head, count, batches in history.list_chains(connection, one):
                courses += 1
                if misfit := find_misfit(course_id, batches, head, count):
                    print(f"verify-history: school {one}: {_describe(misfit)}")
                    return False
            print(f"verify-history: school {one}: {courses} courses fit", flush=True)
    return True


def _describe(misfit: Misfit) -> str:
    place = f"course {misfit.course_id}, batch {misfit.batch_number}"
    if misfit.mark_id:
        place += f", mark {misfit.mark_id}, revision {misfit.revision}"
    return f"{place}: {misfit.what}"
