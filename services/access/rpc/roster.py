"""Classes for staff; roster entries for the projections of the other services."""

from collections.abc import Sequence
from uuid import UUID

from chassis import auth, paging
from chassis.clock import today
from chassis.db import Connection
from chassis.interceptors import Context
from chassis.run import Frame
from diary.access.v1 import roster_service_pb2, roster_service_pb2_grpc
from services.access import convert
from services.access.rules.roles import STAFF
from services.access.rules.standing import require_place
from services.access.store import relations, roster, schools

_FIRST = UUID(int=0)
_MOST = 500
# An entry with the id by which pages go on.
_Entries = Sequence[tuple[UUID, roster_service_pb2.RosterEntry]]


class RosterServicer(roster_service_pb2_grpc.RosterServiceServicer):
    """RosterService."""

    def __init__(self, frame: Frame) -> None:
        self._database = frame.database
        self._clock = frame.clock

    async def ListClasses(
        self, request: roster_service_pb2.ListClassesRequest, context: Context
    ) -> roster_service_pb2.ListClassesResponse:
        """Classes of the current year by lowest grade and name."""
        school_id, who = UUID(request.school_id), auth.caller()
        size = paging.size(request.page_size)
        words = ("classes", request.school_id)
        async with self._database.school(school_id) as connection:
            now = self._clock.now()
            require_place(await relations.get_standing(connection, school_id, who.account_id, who.session_id, now), STAFF)
            after_grade, after_name = paging.read_token(words, request.page_token) or ("0", "")
            day = today(self._clock, await schools.get_time_zone(connection, school_id))
            found = await roster.list_class_rows(connection, school_id, day, int(after_grade), after_name, size + 1)
        last = (str(found[size - 1].grades[0]), found[size - 1].name) if len(found) > size else None
        return roster_service_pb2.ListClassesResponse(
            classes=[convert.school_class(row) for row in found[:size]],
            next_page_token=paging.write_token(words, last) if last else "",
        )

    async def BatchGetRoster(
        self, request: roster_service_pb2.BatchGetRosterRequest, context: Context
    ) -> roster_service_pb2.BatchGetRosterResponse:
        """Entries by kind and ids."""
        ids = [UUID(entry_id) for entry_id in request.ids]
        school_id = UUID(request.school_id)
        async with self._database.school(school_id) as connection:
            found = await self._list_entries(connection, school_id, request.kind, ids, _FIRST, _MOST)
        return roster_service_pb2.BatchGetRosterResponse(entries=[entry for _, entry in found])

    async def ListRoster(
        self, request: roster_service_pb2.ListRosterRequest, context: Context
    ) -> roster_service_pb2.ListRosterResponse:
        """All entries of a kind, by id."""
        school_id = UUID(request.school_id)
        size = paging.size(request.page_size)
        words = ("roster", request.school_id, str(request.kind))
        (after,) = paging.read_token(words, request.page_token) or (str(_FIRST),)
        async with self._database.school(school_id) as connection:
            found = await self._list_entries(connection, school_id, request.kind, None, UUID(after), size + 1)
        token = paging.write_token(words, (str(found[size - 1][0]),)) if len(found) > size else ""
        return roster_service_pb2.ListRosterResponse(entries=[entry for _, entry in found[:size]], next_page_token=token)

    async def _list_entries(
        self, connection: Connection, school_id: UUID, kind: int, ids: Sequence[UUID] | None, after: UUID, limit: int
    ) -> _Entries:
        if kind == roster_service_pb2.ROSTER_KIND_SCHOOL:
            return await _list_school(connection, school_id, ids, after)
        if kind == roster_service_pb2.ROSTER_KIND_CLASS:
            classes = await roster.list_classes(connection, school_id, ids, after, limit)
            return [(row.class_id, convert.class_entry(row)) for row in classes]
        if kind == roster_service_pb2.ROSTER_KIND_RELATION:
            found = await relations.list_relations(connection, school_id, ids, after, limit)
            return [(row.relation_id, convert.relation_entry(row)) for row in found]
        zone = await schools.find_time_zone(connection, school_id)
        if zone is None:
            return []
        day = today(self._clock, zone)
        if kind == roster_service_pb2.ROSTER_KIND_STUDENT:
            students = await roster.list_students(connection, school_id, ids, after, limit, day)
            return [(row.student_id, convert.student_entry(row)) for row in students]
        groups = await roster.list_study_groups(connection, school_id, ids, after, limit, day)
        return [(row.study_group_id, convert.study_group_entry(row)) for row in groups]


async def _list_school(connection: Connection, school_id: UUID, ids: Sequence[UUID] | None, after: UUID) -> _Entries:
    """The one entry of the kind SCHOOL: the school itself."""
    if after >= school_id or (ids is not None and school_id not in ids):
        return []
    row = await schools.find_roster_school(connection, school_id)
    return [(school_id, convert.school_entry(row))] if row else []
