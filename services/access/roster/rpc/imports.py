"""Lists of a school by file: taken in, looked at, confirmed or given up by the school's administrator."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

from chassis import auth, paging, requests
from chassis.db import Connection
from chassis.errors import FailedPrecondition, NotFound
from chassis.imports import Import, LostError, acts
from chassis.imports import store as imports
from chassis.interceptors import Context
from chassis.run import Frame
from diary.access.v1 import roster_import_service_pb2 as pb
from diary.access.v1 import roster_import_service_pb2_grpc
from services.access.people.rules.roles import Role
from services.access.people.store import schools
from services.access.rights.rules.standing import require_place
from services.access.rights.store import relations
from services.access.roster.actions.imports import ONEROSTER
from services.access.roster.convert import imports as convert
from services.access.roster.convert.bundles import write_wish

_IMPORTING = frozenset({Role.ADMIN})
# Numbers of lines are no larger, whatever a token says.
_LAST = 2**31 - 1
_Named = (
    pb.GetRosterImportRequest | pb.ListRosterImportChangesRequest | pb.ConfirmRosterImportRequest | pb.CancelRosterImportRequest
)


class RosterImportServicer(roster_import_service_pb2_grpc.RosterImportServiceServicer):
    """RosterImportService."""

    def __init__(self, frame: Frame) -> None:
        self._database = frame.database
        self._clock = frame.clock

    async def CreateRosterImport(
        self, request: pb.CreateRosterImportRequest, context: Context
    ) -> pb.CreateRosterImportResponse:
        """Takes a file in; the job reads it and plans."""
        school_id = UUID(request.school_id)
        async with self._opened(school_id) as connection, connection.transaction():
            async with requests.once(connection, self._clock, request, pb.CreateRosterImportResponse) as write:
                if write.is_new:
                    school = (await schools.get_detailed(connection, school_id)).school
                    made = await acts.create(
                        connection,
                        self._clock,
                        ONEROSTER,
                        school_id,
                        request.file_name,
                        request.file,
                        write_wish(convert.read_wish(request, school.code)),
                    )
                    write.answer = pb.CreateRosterImportResponse(import_id=str(made.import_id))
            return write.answer

    async def GetRosterImport(self, request: pb.GetRosterImportRequest, context: Context) -> pb.GetRosterImportResponse:
        """An import, with how many lines its plan has."""
        async with self._opened(UUID(request.school_id)) as connection:
            kept = await _get(connection, request)
            count = await imports.count_changes(connection, kept.school_id, kept.import_id)
            problems = await imports.list_problems(connection, kept.school_id, kept.import_id)
        return pb.GetRosterImportResponse(roster_import=convert.write_import(kept, count, problems))

    async def ListRosterImportChanges(
        self, request: pb.ListRosterImportChangesRequest, context: Context
    ) -> pb.ListRosterImportChangesResponse:
        """The lines of a plan by number."""
        page = paging.Page(request, ("import_changes", request.school_id, request.import_id), (0,))
        async with self._opened(UUID(request.school_id)) as connection:
            kept = await _get(connection, request)
            after = min(page.after[0], _LAST)
            found = await imports.list_changes(connection, kept.school_id, kept.import_id, after, page.limit)
        shown, token = page.cut(found, lambda line: (line[0],))
        return pb.ListRosterImportChangesResponse(
            changes=[convert.write_change(*line) for line in shown], next_page_token=token
        )

    async def ConfirmRosterImport(
        self, request: pb.ConfirmRosterImportRequest, context: Context
    ) -> pb.ConfirmRosterImportResponse:
        """Says the word; the job writes."""
        async with self._opened(UUID(request.school_id)) as connection, connection.transaction():
            kept = await _get(connection, request)
            async with requests.once(connection, self._clock, request, pb.ConfirmRosterImportResponse) as write:
                if write.is_new:
                    with _told():
                        await acts.confirm(connection, self._clock, kept, {line.number for line in request.lines} or None)
            return write.answer

    async def CancelRosterImport(
        self, request: pb.CancelRosterImportRequest, context: Context
    ) -> pb.CancelRosterImportResponse:
        """Gives a plan up."""
        async with self._opened(UUID(request.school_id)) as connection, connection.transaction():
            kept = await _get(connection, request)
            async with requests.once(connection, self._clock, request, pb.CancelRosterImportResponse) as write:
                if write.is_new:
                    with _told():
                        await acts.cancel(connection, self._clock, kept)
            return write.answer

    @asynccontextmanager
    async def _opened(self, school_id: UUID) -> AsyncIterator[Connection]:
        """The school, for whom it is to be changed by lists."""
        async with self._database.school(school_id) as connection:
            scene = await relations.get_scene(connection, school_id, auth.caller(), self._clock.now())
            require_place(scene.standing, _IMPORTING)
            yield connection


async def _get(connection: Connection, request: _Named) -> Import:
    try:
        return await imports.get_import(connection, UUID(request.school_id), UUID(request.import_id))
    except LostError as error:
        raise NotFound("IMPORT_NOT_FOUND", "no such import of the school") from error


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except LostError as error:
        raise FailedPrecondition("IMPORT_NOT_PLANNED", "the import waits for no word of this kind") from error
