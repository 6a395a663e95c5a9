"""Hand-written answers about lists loaded from files."""

from __future__ import annotations

from typing import Any

from google.rpc import code_pb2

from diary.access.v1 import roster_import_service_pb2 as pb
from diary.access.v1 import roster_import_service_pb2_grpc
from tests.unit.portal.standin_cases import refuse

IMPORT = "0198a000-0000-7000-8000-0000000000c1"


class Imports(roster_import_service_pb2_grpc.RosterImportServiceServicer):
    """One import as it stands; keeps the requests it was sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.kept = pb.RosterImport(import_id=IMPORT, file_name="list.zip", state=pb.ROSTER_IMPORT_STATE_PLANNED)
        self.changes: list[pb.RosterImportChange] = []
        self.refusal = ""

    async def _answer(self, request: Any, context: Any) -> None:
        self.sent.append(request)
        if self.refusal:
            await refuse(context, code_pb2.FAILED_PRECONDITION, self.refusal)

    async def CreateRosterImport(self, request: Any, context: Any) -> pb.CreateRosterImportResponse:
        await self._answer(request, context)
        return pb.CreateRosterImportResponse(import_id=IMPORT)

    async def GetRosterImport(self, request: Any, context: Any) -> pb.GetRosterImportResponse:
        return pb.GetRosterImportResponse(roster_import=self.kept)

    async def ListRosterImportChanges(self, request: Any, context: Any) -> pb.ListRosterImportChangesResponse:
        shown = self.changes[: request.page_size]
        is_more = len(self.changes) > len(shown)
        return pb.ListRosterImportChangesResponse(changes=shown, next_page_token="next" if is_more else "")

    async def ConfirmRosterImport(self, request: Any, context: Any) -> pb.ConfirmRosterImportResponse:
        await self._answer(request, context)
        return pb.ConfirmRosterImportResponse()

    async def CancelRosterImport(self, request: Any, context: Any) -> pb.CancelRosterImportResponse:
        await self._answer(request, context)
        return pb.CancelRosterImportResponse()
