"""Hand-written answers about lists loaded from files."""

from __future__ import annotations

from typing import Any

import grpc

from diary.access.v1 import roster_import_service_pb2 as pb
from tests.unit.portal.standin_cases import Answers
from tests.worlds.neighbours import Neighbours, Refusal

IMPORT = "0198a000-0000-7000-8000-0000000000c1"


class Imports(Answers):
    """One import as it stands; each write is refused for `refusal` where there is one."""

    service = "diary.access.v1.RosterImportService"

    def __init__(self, neighbours: Neighbours) -> None:
        super().__init__(neighbours)
        self.kept = pb.RosterImport(import_id=IMPORT, file_name="list.zip", state=pb.ROSTER_IMPORT_STATE_PLANNED)
        self.changes: list[pb.RosterImportChange] = []
        self.refusal = ""

    def _refuse(self) -> None:
        if self.refusal:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, self.refusal)

    def CreateRosterImport(self, request: Any) -> pb.CreateRosterImportResponse:
        self._refuse()
        return pb.CreateRosterImportResponse(import_id=IMPORT)

    def GetRosterImport(self, request: Any) -> pb.GetRosterImportResponse:
        return pb.GetRosterImportResponse(roster_import=self.kept)

    def ListRosterImportChanges(self, request: Any) -> pb.ListRosterImportChangesResponse:
        shown = self.changes[: request.page_size]
        is_more = len(self.changes) > len(shown)
        return pb.ListRosterImportChangesResponse(changes=shown, next_page_token="next" if is_more else "")

    def ConfirmRosterImport(self, request: Any) -> pb.ConfirmRosterImportResponse:
        self._refuse()
        return pb.ConfirmRosterImportResponse()

    def CancelRosterImport(self, request: Any) -> pb.CancelRosterImportResponse:
        self._refuse()
        return pb.CancelRosterImportResponse()
