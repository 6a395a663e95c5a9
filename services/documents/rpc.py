"""The RPCs of documents."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from prometheus_client import Counter, Histogram

from chassis import relations
from chassis.interceptors import Context
from chassis.run import Frame
from chassis.server import Part
from diary.documents.v1 import (
    document_service_pb2,
    document_service_pb2_grpc,
    relation_service_pb2,
    relation_service_pb2_grpc,
)
from services.documents.convert import pdf
from services.documents.convert.slips import read_slips
from services.documents.rules.slips import build_page

_rendered = Counter("diary_documents_rendered_total", "Documents rendered, by kind", ["kind"])
_render_seconds = Histogram(
    "diary_documents_render_seconds",
    "From the request of a file to the file, waiting included, by kind",
    ["kind"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
_rendered.labels("slip")
_render_seconds.labels("slip")


class RelationServicer(relation_service_pb2_grpc.RelationServiceServicer):
    """Keeps the projection of who may see whom."""

    def __init__(self, frame: Frame) -> None:
        self._database = frame.database

    async def ApplyRelations(
        self, request: relation_service_pb2.ApplyRelationsRequest, context: Context
    ) -> relation_service_pb2.ApplyRelationsResponse:
        """Answers when relations and ended sessions are committed."""
        await relations.apply_all(
            self._database,
            request.school_id,
            [relations.read_relation(message) for message in request.relations],
            [relations.read_ended_session(message) for message in request.ended_sessions],
        )
        return relation_service_pb2.ApplyRelationsResponse()


class DocumentServicer(document_service_pb2_grpc.DocumentServiceServicer):
    """Renders papers, one file at a time: Typst itself uses several cores, and the largest file then bounds the memory."""

    def __init__(self) -> None:
        self._press = ThreadPoolExecutor(1, "press")

    async def RenderSlip(
        self, request: document_service_pb2.RenderSlipRequest, context: Context
    ) -> document_service_pb2.RenderSlipResponse:
        """Answers with the slips as PDF, one a page (R25). Nothing is stored."""
        pages = [build_page(slip) for slip in read_slips(request.slips)]
        with _render_seconds.labels("slip").time():
            file = await asyncio.get_running_loop().run_in_executor(self._press, pdf.render_slips, pages)
        _rendered.labels("slip").inc(len(pages))
        return document_service_pb2.RenderSlipResponse(pdf=file)


def parts(frame: Frame) -> Sequence[Part]:
    """The servicers of documents."""
    return [
        Part(
            "diary.documents.v1.DocumentService",
            document_service_pb2_grpc.add_DocumentServiceServicer_to_server,
            DocumentServicer(),
        ),
        Part(
            "diary.documents.v1.RelationService",
            relation_service_pb2_grpc.add_RelationServiceServicer_to_server,
            RelationServicer(frame),
        ),
    ]
