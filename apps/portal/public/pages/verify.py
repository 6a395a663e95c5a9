"""Pages for everybody: «Проверка документа» and the blank forms of a school."""

import grpc
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.portal.asked import FILE_BYTES, FILE_TOO_LARGE, path_id, read_files, read_form
from apps.portal.downloads import attachment
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.public.views import build_verdict
from apps.portal.reasons import sentence
from diary.documents.v1 import document_pb2, form_pb2

_VERIFY = "/verify"
_SECONDS = 15.0
# As the service takes them.
_CODE_LETTERS = 300
_MENDED = {
    grpc.StatusCode.INVALID_ARGUMENT: 422,
    grpc.StatusCode.FAILED_PRECONDITION: 422,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
}
_FORM_NAMES = {
    "appendix-2": "Приложение № 2",
    "appendix-3": "Приложение № 3",
    "student-statement": "Заявление ученика",
    "paper": "Лист выбора формы информирования",
}


class PublicPages:
    """Nobody is asked who they are, and nothing is told that names a person."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.routes = [
            Route(_VERIFY, self._verify_code, methods=["GET"]),
            Route(_VERIFY, self._verify_file, methods=["POST"]),
            Route("/schools/{school:uuid}/forms/{kind}", self._download_form, methods=["GET"]),
        ]

    async def _verify_code(self, request: Request) -> Response:
        code = request.query_params.get("code", "").strip()
        if not code:
            return self._page()
        if len(code) > _CODE_LETTERS:
            # Longer than any link with a code: of no paper of ours.
            return self._page(
                verdict=document_pb2.VerifyDocumentResponse(verdict=document_pb2.VERDICT_UNKNOWN), code=code[:_CODE_LETTERS]
            )
        return await self._ask(document_pb2.VerifyDocumentRequest(code=code), code)

    async def _verify_file(self, request: Request) -> Response:
        files = await read_files(request, "file")
        if not files or not files[0].content:
            code = (await read_form(request)).get("code", "")
            return self._page(422, "Выберите файл документа.", code=code)
        if len(files[0].content) > FILE_BYTES:
            return self._page(413, FILE_TOO_LARGE)
        return await self._ask(document_pb2.VerifyDocumentRequest(file=files[0].content))

    async def _ask(self, wanted: document_pb2.VerifyDocumentRequest, code: str = "") -> Response:
        try:
            answer = await call(self._frame.gateway.documents.VerifyDocument, wanted, seconds=_SECONDS)
        except GatewayError as error:
            if error.code not in _MENDED:
                raise
            return self._page(_MENDED[error.code], sentence(error.reason), code=code)
        return self._page(verdict=answer, code=code, is_by_file=bool(wanted.file))

    def _page(
        self,
        status: int = 200,
        problem: str = "",
        *,
        verdict: document_pb2.VerifyDocumentResponse | None = None,
        code: str = "",
        is_by_file: bool = False,
    ) -> Response:
        shown = build_verdict(verdict, is_by_file=is_by_file) if verdict else None
        return self._frame.renderer.page("public/verify.html", status, problem=problem, verdict=shown, code=code)

    async def _download_form(self, request: Request) -> Response:
        kind: str = request.path_params["kind"]
        wanted = form_pb2.RenderFormRequest(school_id=path_id(request, "school"), kind=kind)
        file = await call(self._frame.gateway.documents.RenderForm, wanted, seconds=_SECONDS)
        return attachment(file, "form", _FORM_NAMES.get(kind, ""))
