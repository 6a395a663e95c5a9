"""Accesses of families."""

from uuid import UUID

from chassis import auth, paging, requests
from chassis.auth import Caller
from chassis.db import Connection
from chassis.errors import NotFound
from chassis.interceptors import Context
from chassis.run import Frame
from diary.access.v1 import grant_service_pb2, grant_service_pb2_grpc
from services.access.rights.actions.ending_grants import end_grants
from services.access.rights.actions.endings import Endings
from services.access.rights.convert import grants as convert
from services.access.rights.rules.grants import END_WARNING, GRANTING, EndGround, Ending, Grant
from services.access.rights.rules.standing import require_place, require_session
from services.access.rights.store import accounts, grants, pushes, relations


class GrantServicer(grant_service_pb2_grpc.GrantServiceServicer):
    """GrantService."""

    def __init__(self, frame: Frame, endings: Endings) -> None:
        self._database = frame.database
        self._clock = frame.clock
        self._endings = endings

    async def ListGrants(
        self, request: grant_service_pb2.ListGrantsRequest, context: Context
    ) -> grant_service_pb2.ListGrantsResponse:
        """Grants that the caller may see, by id."""
        school_id, who, now = UUID(request.school_id), auth.caller(), self._clock.now()
        student_id = UUID(request.student_id) if request.student_id else None
        page = paging.Page(request, ("grants", request.school_id, request.student_id), (paging.FIRST_ID,))
        async with self._database.school(school_id) as connection:
            scene = await relations.get_scene(connection, school_id, who, now)
            require_place(scene.standing, GRANTING, or_family=True)
            found = await grants.list_grants(connection, school_id, who.account_id, now, student_id, *page.after, page.limit)
        shown, token = page.cut(found, lambda row: (row.grant_id,))
        return grant_service_pb2.ListGrantsResponse(grants=[convert.grant(row) for row in shown], next_page_token=token)

    async def ListOwnGrants(
        self, request: grant_service_pb2.ListOwnGrantsRequest, context: Context
    ) -> grant_service_pb2.ListOwnGrantsResponse:
        """Grants that the caller holds or has held, the newest first (Clauses R12, R33)."""
        school_id, who, now = UUID(request.school_id), auth.caller(), self._clock.now()
        student_id = UUID(request.student_id) if request.student_id else None
        page = paging.Page(request, ("own_grants", request.school_id, request.student_id), (paging.LAST_ID,))
        async with self._database.school(school_id) as connection:
            scene = await relations.get_scene(connection, school_id, who, now)
            is_person = await accounts.is_person(connection, school_id, who.account_id)
            require_place(scene.standing, frozenset(), or_person=is_person)
            found = await grants.list_own_grants(
                connection, school_id, who.account_id, scene.today, student_id, *page.after, page.limit
            )
        shown, token = page.cut(found, lambda row: (row.grant.grant_id,))
        return grant_service_pb2.ListOwnGrantsResponse(grants=[convert.own_grant(row) for row in shown], next_page_token=token)

    async def RevokeGrant(
        self, request: grant_service_pb2.RevokeGrantRequest, context: Context
    ) -> grant_service_pb2.RevokeGrantResponse:
        """Ends a grant here, then everywhere, and the sessions of a holder who has nothing left (Clauses R9, R33: at once)."""
        school_id, who = UUID(request.school_id), auth.caller()
        async with self._database.school(school_id) as connection, connection.transaction():
            grant = await self._lock(connection, school_id, who, UUID(request.grant_id))
            async with requests.once(connection, self._clock, request, grant_service_pb2.RevokeGrantResponse) as write:
                if grant.end_time is None:
                    grant = await self._end(connection, school_id, who, grant)
                # Names stay out of the kept answer: a repeat reads the grant again.
                write.answer.grant.grant_id = request.grant_id
            waiting = await pushes.list_pushes_of_fact(connection, school_id, grant.grant_id)
        await self._endings.confirm(waiting, [grant.account_id])
        return grant_service_pb2.RevokeGrantResponse(grant=convert.grant(grant))

    async def GetGrantEnding(
        self, request: grant_service_pb2.GetGrantEndingRequest, context: Context
    ) -> grant_service_pb2.GetGrantEndingResponse:
        """What the letter that notify is about to send tells of an ending (Clauses R6, R13)."""
        school_id, now = UUID(request.school_id), self._clock.now()
        async with self._database.school(school_id) as connection:
            found = await grants.find_ending(connection, school_id, UUID(request.grant_id), now, now + END_WARNING)
        if found is None:
            raise NotFound("GRANT_NOT_FOUND", "no such grant that ends soon")
        return convert.grant_ending(found)

    async def _lock(self, connection: Connection, school_id: UUID, who: Caller, grant_id: UUID) -> Grant:
        """The grant that the caller may end. Raises NotFound GRANT_NOT_FOUND: absent, another class's, another school's."""
        now = self._clock.now()
        require_session((await relations.get_scene(connection, school_id, who, now)).standing)
        grant = await grants.lock_grant_to_revoke(connection, school_id, who.account_id, now, grant_id)
        if grant is None:
            raise NotFound("GRANT_NOT_FOUND", "no such grant that the caller may end")
        return grant

    async def _end(self, connection: Connection, school_id: UUID, who: Caller, grant: Grant) -> Grant:
        """Ends the grant and its relation, with their events, and queues the ending for the other services."""
        ending = Ending(EndGround.REVOKED, who.account_id)
        await end_grants(connection, self._clock, school_id, [grant.grant_id], ending)
        ended = await grants.lock_grant_to_revoke(connection, school_id, who.account_id, self._clock.now(), grant.grant_id)
        assert ended is not None
        return ended
