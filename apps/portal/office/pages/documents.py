"""Files of the register's papers: the decision, its scan, its signature."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.portal.asked import path_id
from apps.portal.downloads import attachment
from apps.portal.frame import Frame
from apps.portal.gateway import call
from apps.portal.sessions import Session
from diary.documents.v1 import document_pb2

_DOCUMENT = "/schools/{school:uuid}/documents/{document:uuid}"
_SECONDS = 15.0


class DocumentPages:
    """Downloads for whom a paper concerns, and for the office; who may is decided by documents."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        self.routes = [
            Route(_DOCUMENT, page(self._download_paper)),
            Route(f"{_DOCUMENT}/scan", page(self._download_scan)),
            Route(f"{_DOCUMENT}/signature", page(self._download_signature)),
        ]

    async def _download_paper(self, request: Request, session: Session) -> Response:
        return await self._download(request, session, document_pb2.DOCUMENT_PART_ORIGINAL, ("decision", "Решение"))

    async def _download_scan(self, request: Request, session: Session) -> Response:
        return await self._download(request, session, document_pb2.DOCUMENT_PART_SCAN, ("decision-scan", "Решение, скан"))

    async def _download_signature(self, request: Request, session: Session) -> Response:
        return await self._download(request, session, document_pb2.DOCUMENT_PART_SIGNATURE, ("decision", "Решение"))

    async def _download(
        self, request: Request, session: Session, part: document_pb2.DocumentPart.ValueType, names: tuple[str, str]
    ) -> Response:
        wanted = document_pb2.DownloadDocumentRequest(
            school_id=path_id(request, "school"), document_id=path_id(request, "document"), part=part
        )
        file = await call(self._frame.gateway.documents.DownloadDocument, wanted, session.token, _SECONDS)
        return attachment(file, *names)
