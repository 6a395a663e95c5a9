"""documents' printer, which shows the slips it was given; it can be out of order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr

from chassis import run
from chassis.clock import SystemClock
from chassis.errors import Unavailable
from chassis.server import Part
from diary.documents.v1 import document_service_pb2_grpc, form_pb2
from services.documents.config import Settings
from tests.support.access_service import Backends
from tests.support.services import none_ended

PDF = b"%PDF-1.7 a slip"


class Papers(document_service_pb2_grpc.DocumentServiceServicer):
    """Prints slips, and keeps what it printed."""

    def __init__(self) -> None:
        self.printed: list[form_pb2.Slip] = []
        self.is_broken = False

    async def RenderSlip(self, request: Any, context: Any) -> form_pb2.RenderSlipResponse:
        """Answers as documents does."""
        if self.is_broken:
            raise Unavailable("DATABASE_UNAVAILABLE", "out of order")
        self.printed += request.slips
        return form_pb2.RenderSlipResponse(pdf=PDF)


@asynccontextmanager
async def printing(backends: Backends, papers: Papers) -> AsyncIterator[int]:
    """The printer, listening; yields its port."""
    settings = Settings(
        port=0,
        metrics_port=0,
        database_url=SecretStr(backends.clone.app_dsns["documents"]),
        nats_url=SecretStr(backends.nats_url),
        keys_dir=backends.keys_dir,
    )

    def build(frame: run.Frame) -> run.Service:
        name = "diary.documents.v1.DocumentService"
        return run.Service([Part(name, document_service_pb2_grpc.add_DocumentServiceServicer_to_server, papers)], none_ended)

    async with run.running("documents", settings, build, SystemClock()) as port:
        yield port
