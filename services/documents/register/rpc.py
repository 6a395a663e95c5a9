"""The register of papers: who opens them (Clauses R22, R23)."""

from __future__ import annotations

from uuid import UUID

from google.api import httpbody_pb2

from chassis import auth, paging
from chassis.errors import InvalidArgument, NotFound
from chassis.interceptors import Context
from chassis.run import Frame
from diary.documents.v1 import document_pb2
from services.documents.press.actions.presses import Press
from services.documents.press.convert.pages import join_pages
from services.documents.register import rules, store
from services.documents.register.convert import bundles
from services.documents.register.convert import papers as convert
from services.documents.register.rules import no_document

# An answer is at most 8 MiB, with its frame.
_MAX_BUNDLE = (8 << 20) - (64 << 10)
_PDF = "application/pdf"


class RegisterMethods:
    """The register's part of DocumentService."""

    def __init__(self, frame: Frame, press: Press) -> None:
        self._database = frame.database
        self._clock = frame.clock
        self._press = press

    async def ListDocuments(
        self, request: document_pb2.ListDocumentsRequest, context: Context
    ) -> document_pb2.ListDocumentsResponse:
        """Papers that the caller may open, the newest first."""
        school_id = UUID(request.school_id)
        words = ("documents", request.school_id, request.application_id, str(request.state))
        page = paging.Page(request, words, (paging.LAST_ID,))
        async with self._database.school(school_id) as connection:
            found = await store.list_documents(
                connection,
                school_id,
                auth.caller(),
                self._clock.now(),
                application_id=UUID(request.application_id) if request.application_id else None,
                state=rules.State(request.state) if request.state else None,
                before=page.after[0],
                limit=page.limit,
            )
        shown, token = page.cut(found, lambda document: (document.document_id,))
        return document_pb2.ListDocumentsResponse(
            documents=[convert.write_document(document) for document in shown], next_page_token=token
        )

    async def GetDocument(self, request: document_pb2.GetDocumentRequest, context: Context) -> document_pb2.GetDocumentResponse:
        """A paper and how it was signed."""
        school_id = UUID(request.school_id)
        async with self._database.school(school_id) as connection:
            found = await store.find_document(
                connection, school_id, UUID(request.document_id), auth.caller(), self._clock.now()
            )
        if found is None:
            raise no_document()
        return document_pb2.GetDocumentResponse(document=convert.write_document(found))

    async def DownloadDocument(self, request: document_pb2.DownloadDocumentRequest, context: Context) -> httpbody_pb2.HttpBody:
        """The file as it was sealed, or its scan or signature as they were uploaded."""
        school_id = UUID(request.school_id)
        async with self._database.school(school_id) as connection:
            files = await store.find_files(connection, school_id, UUID(request.document_id), auth.caller(), self._clock.now())
        if files is None:
            raise no_document()
        if request.part == document_pb2.DOCUMENT_PART_SIGNATURE:
            content_type, data = "application/pkcs7-signature", files.signature
        else:
            content_type, data = _PDF, files.scan if request.part == document_pb2.DOCUMENT_PART_SCAN else files.pdf
        if not data:
            raise NotFound("PART_NOT_FOUND", "the document has no such part: it was signed in another way, or not yet")
        return httpbody_pb2.HttpBody(content_type=content_type, data=data)

    async def BundleDocuments(self, request: document_pb2.BundleDocumentsRequest, context: Context) -> httpbody_pb2.HttpBody:
        """Papers together: all pages in one PDF to print, or the sealed files in a ZIP (Clause R22)."""
        school_id, who, now = UUID(request.school_id), auth.caller(), self._clock.now()
        ids = list({UUID(document_id) for document_id in request.document_ids})
        async with self._database.school(school_id) as connection:
            count, size = await store.measure_pdfs(connection, school_id, ids, who, now)
            if count < len(ids):
                raise no_document()
            if size > _MAX_BUNDLE:
                raise _too_large()
            found = await store.list_pdfs(connection, school_id, ids, who, now)
        if request.format == document_pb2.BUNDLE_FORMAT_ZIP:
            content_type, data = "application/zip", bundles.pack(found)
        else:
            pdfs = [pdf for _, _, pdf in found]
            content_type, data = _PDF, await self._press.render("bundle", join_pages, pdfs)
        if len(data) > _MAX_BUNDLE:
            raise _too_large()
        return httpbody_pb2.HttpBody(content_type=content_type, data=data)

    async def FetchDocument(
        self, request: document_pb2.FetchDocumentRequest, context: Context
    ) -> document_pb2.FetchDocumentResponse:
        """A signed paper with what proves its signature, for the letter that notify is about to send (Clause R23)."""
        school_id = UUID(request.school_id)
        async with self._database.school(school_id) as connection:
            found = await store.find_signed(connection, school_id, UUID(request.document_id))
        if found is None:
            raise no_document()
        document, files = found
        message = convert.write_document(document)
        return document_pb2.FetchDocumentResponse(document=message, pdf=files.pdf, scan=files.scan, signature=files.signature)


def _too_large() -> InvalidArgument:
    return InvalidArgument("DOCUMENTS_TOO_LARGE", "the documents together are larger than an answer may be; choose fewer")
