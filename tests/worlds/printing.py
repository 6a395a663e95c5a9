"""documents' printer, which shows the slips it was given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from diary.documents.v1 import form_pb2
from tests.worlds.access_service import Backends
from tests.worlds.neighbours import Neighbours

PDF = b"%PDF-1.7 a slip"


class Papers(Neighbours):
    """Prints slips, and keeps what it printed."""

    def __init__(self) -> None:
        super().__init__()
        self.printed: list[form_pb2.Slip] = []
        self.answer("diary.documents.v1.DocumentService/RenderSlip", self._print)

    def _print(self, request: form_pb2.RenderSlipRequest) -> form_pb2.RenderSlipResponse:
        self.printed += request.slips
        return form_pb2.RenderSlipResponse(pdf=PDF)


@asynccontextmanager
async def printing(backends: Backends, papers: Papers) -> AsyncIterator[str]:
    """The printer, listening; yields its address."""
    papers.admit_services(backends.keys_dir)
    async with papers.listening():
        yield papers.address
