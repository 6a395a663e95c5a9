"""«Отказы на подпись»: the head signs refusals at once; signed papers and signature files come back (Clause R22)."""

import asyncio
from dataclasses import dataclass

import grpc
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.portal import flash, navigation, people, roles
from apps.portal.asked import FILE_BYTES, FILE_TOO_LARGE, MENDED_IN_FORM, path_id, read_code, read_files, read_form, read_list
from apps.portal.downloads import attachment
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.head.views import refusals as views
from apps.portal.ids import new_id
from apps.portal.reasons import sentence, wait_for_retry
from apps.portal.sessions import Session
from apps.portal.words import count
from chassis.clock import today
from diary.access.v1 import application_pb2
from diary.access.v1 import application_service_pb2 as access_pb
from diary.access.v1.session_service_pb2 import GetCallerResponse
from diary.documents.v1 import document_pb2, signing_pb2

_PAGE = "/schools/{school:uuid}/refusals"
# As many as one signature and one bundle take.
_AT_ONCE = 100
_SIGNATURE_BYTES = 64 * 1024
# Each ground is proved again, each decision numbered.
_SIGN_SECONDS = 20.0
# A hundred pages are read for their codes, a hundred signatures checked within the call; the gateway waits thirty.
_FILES_SECONDS = 28.0
_NOT_SIGNED = {
    "GROUND_NOT_PROVED": "Основание одного из отмеченных отказов больше не подтверждается: подготовьте этот отказ заново.",
    "NO_REFUSAL_PROPOSED": "Один из отмеченных отказов уже не ждёт подписи. Проверьте список ниже и подпишите снова.",
    "APPLICATION_DECIDED": "По одному из отмеченных заявлений решение уже принято. Проверьте список ниже и подпишите снова.",
}
# Of an object that is gone, or of a busy service, and yet the page can say what to do.
_TOLD = frozenset({"SCAN_NOT_FOUND", "TOO_MANY_WAITING"})
_FORMATS = {"pdf": document_pb2.BUNDLE_FORMAT_PDF, "zip": document_pb2.BUNDLE_FORMAT_ZIP}


@dataclass(frozen=True)
class _Shown:
    """What a page says beside the lists: a problem and in which of its forms it arose, what stood in that form, a result."""

    status: int = 200
    problem: str = ""
    form: str = ""
    chosen: frozenset[str] | None = None
    needs_factor: bool = False
    result: views.UploadResult | None = None
    signed_date: str = ""


class RefusalPages:
    """Both parts of the page stand for the head; who brings scans sees the second one."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        self.routes = [
            Route(_PAGE, page(self._show), methods=["GET"]),
            Route(f"{_PAGE}/sign", page(self._sign), methods=["POST"]),
            # Reads, but takes a hundred ids: a post keeps them out of the address.
            Route(f"{_PAGE}/bundle", page(self._bundle), methods=["POST"]),
            Route(f"{_PAGE}/scan", page(self._upload_scan), methods=["POST"]),
            Route(f"{_PAGE}/confirm", page(self._confirm_scans), methods=["POST"]),
            Route(f"{_PAGE}/signatures", page(self._attach_signatures), methods=["POST"]),
        ]

    async def _show(self, request: Request, session: Session) -> Response:
        return await self._page(request, session, _Shown())

    async def _sign(self, request: Request, session: Session) -> Response:
        form, chosen = await read_form(request), await read_list(request, "application")
        code, kept = read_code(form), frozenset(chosen)
        if not chosen or not code:
            problem = "Введите шесть цифр кода из приложения." if chosen else "Отметьте хотя бы один отказ."
            return await self._page(request, session, _Shown(422, problem, "sign", kept))
        wanted = access_pb.SignRefusalsRequest(
            school_id=path_id(request, "school"),
            request_id=form.get("request_id", ""),
            application_ids=chosen,
            one_time_code=code,
        )
        try:
            answer = await call(self._frame.gateway.applications.SignRefusals, wanted, session.token, _SIGN_SECONDS)
        except GatewayError as error:
            if error.reason == "CODE_BLOCKED":
                blocked = wait_for_retry(error.reason, error.metadata, self._frame.clock.now())
                return await self._page(request, session, _Shown(429, f"Ничего не подписано. {blocked}", "sign", kept))
            # A wrong code is UNAUTHENTICATED, and yet the session is well.
            if error.code not in MENDED_IN_FORM and error.reason not in ("CODE_WRONG", "CODE_MISSING"):
                raise
            problem = (
                f"Ничего не подписано. {_NOT_SIGNED.get(error.reason) or sentence(error.reason, error.fields, error.metadata)}"
            )
            needs_factor = error.reason == "TOTP_NOT_ENROLLED"
            return await self._page(request, session, _Shown(422, problem, "sign", kept, needs_factor))
        return flash.redirect(request, _url(request), str(len(answer.applications)))

    async def _bundle(self, request: Request, session: Session) -> Response:
        form, chosen = await read_form(request), await read_list(request, "document")
        if not chosen:
            return await self._page(request, session, _Shown(422, "Отметьте хотя бы одно решение.", "bundle"))
        how = form.get("format", "")
        if how not in _FORMATS:
            raise HTTPException(400)
        wanted = document_pb2.BundleDocumentsRequest(
            school_id=path_id(request, "school"), document_ids=chosen[:_AT_ONCE], format=_FORMATS[how]
        )
        try:
            file = await call(self._frame.gateway.documents.BundleDocuments, wanted, session.token, _FILES_SECONDS)
        except GatewayError as error:
            return await self._refuse(request, session, error, "bundle")
        return attachment(file, "decisions", "Решения на подпись")

    async def _upload_scan(self, request: Request, session: Session) -> Response:
        form, files = await read_form(request), await read_files(request, "file")
        day = form.get("signed_date", "")
        if not files or not files[0].content:
            return await self._page(request, session, _Shown(422, "Выберите файл скана.", "scan", signed_date=day))
        if len(files[0].content) > FILE_BYTES:
            return await self._page(request, session, _Shown(413, FILE_TOO_LARGE, "scan", signed_date=day))
        wanted = signing_pb2.UploadScanRequest(
            school_id=path_id(request, "school"),
            request_id=form.get("request_id", ""),
            file=files[0].content,
            signed_date=day,
        )
        try:
            answer = await call(self._frame.gateway.documents.UploadScan, wanted, session.token, _FILES_SECONDS)
        except GatewayError as error:
            return await self._refuse(request, session, error, "scan", day)
        return await self._page(request, session, _Shown(form="scan", result=views.build_scan_result(answer)))

    async def _confirm_scans(self, request: Request, session: Session) -> Response:
        form, chosen = await read_form(request), await read_list(request, "scan")
        if not chosen:
            return await self._page(request, session, _Shown(422, "Отметьте хотя бы один скан.", "confirm"))
        wanted = signing_pb2.ConfirmScansRequest(
            school_id=path_id(request, "school"), request_id=form.get("request_id", ""), scan_ids=chosen[:_AT_ONCE]
        )
        try:
            answer = await call(self._frame.gateway.documents.ConfirmScans, wanted, session.token)
        except GatewayError as error:
            return await self._refuse(request, session, error, "confirm")
        return await self._page(request, session, _Shown(form="confirm", result=views.build_confirmed(answer)))

    async def _attach_signatures(self, request: Request, session: Session) -> Response:
        form, files = await read_form(request), await read_files(request, "files")
        if not files or len(files) > _AT_ONCE:
            problem = f"Выберите файлы подписи, не больше {_AT_ONCE} за раз."
            return await self._page(request, session, _Shown(422, problem, "signatures"))
        wrong = [file.name for file in files if not 0 < len(file.content) <= _SIGNATURE_BYTES]
        if wrong:
            problem = f"Файл «{wrong[0][:80]}» не похож на подпись: он пуст или больше 64 килобайт. Выберите файлы .sig."
            return await self._page(request, session, _Shown(422, problem, "signatures"))
        wanted = signing_pb2.AttachSignaturesRequest(
            school_id=path_id(request, "school"),
            request_id=form.get("request_id", ""),
            files=[signing_pb2.SignatureFile(name=file.name[:200], content=file.content) for file in files],
        )
        try:
            answer = await call(self._frame.gateway.documents.AttachSignatures, wanted, session.token, _FILES_SECONDS)
        except GatewayError as error:
            return await self._refuse(request, session, error, "signatures")
        return await self._page(request, session, _Shown(form="signatures", result=views.build_signatures_result(answer)))

    async def _refuse(self, request: Request, session: Session, error: GatewayError, form: str, day: str = "") -> Response:
        if error.code not in MENDED_IN_FORM and error.reason not in _TOLD:
            raise error
        status, problem = MENDED_IN_FORM.get(error.code, 422), sentence(error.reason, error.fields, error.metadata)
        return await self._page(request, session, _Shown(status, problem, form, signed_date=day))

    async def _page(self, request: Request, session: Session, shown: _Shown) -> Response:
        school_id = path_id(request, "school")
        caller = await self._frame.callers.get(session.token)
        if not roles.may(caller, school_id, roles.BRING_PAPERS):
            # The lists below answer a class teacher too, who has no business here.
            raise GatewayError(grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")
        may_sign = roles.may(caller, school_id, roles.SIGN)
        proposed, waiting, scanned = await asyncio.gather(
            self._list_proposed(school_id, session),
            self._list_documents(school_id, document_pb2.DOCUMENT_STATE_AWAITS_SIGNATURE, session),
            self._list_documents(school_id, document_pb2.DOCUMENT_STATE_SCAN_UNCONFIRMED, session),
        )
        day = today(self._frame.clock, people.school_zone(caller, school_id)).isoformat()
        return self._frame.page(
            "head/refusals.html",
            request,
            caller,
            shown.status,
            title=_title(caller, school_id),
            may_sign=may_sign,
            proposed=views.build_proposed(school_id, proposed.applications, shown.chosen),
            is_more_proposed=bool(proposed.next_page_token),
            waiting=views.build_waiting(school_id, waiting.documents),
            is_more_waiting=bool(waiting.next_page_token),
            scanned=views.build_scanned(school_id, scanned.documents),
            is_more_scanned=bool(scanned.next_page_token),
            signed=_signed_words(flash.read(request)),
            shown=shown,
            today=day,
            signed_date=shown.signed_date or day,
            second_factor_url=people.SECOND_FACTOR_URL,
            has_second_factor=caller.has_second_factor,
            request_ids={name: new_id(self._frame.clock) for name in ("sign", "scan", "confirm", "signatures")},
            url=_url(request),
        )

    async def _list_proposed(self, school_id: str, session: Session) -> access_pb.ListApplicationsResponse:
        wanted = access_pb.ListApplicationsRequest(
            school_id=school_id, state=application_pb2.APPLICATION_STATE_REFUSAL_PROPOSED, page_size=_AT_ONCE
        )
        return await call(self._frame.gateway.applications.ListApplications, wanted, session.token)

    async def _list_documents(
        self, school_id: str, state: document_pb2.DocumentState.ValueType, session: Session
    ) -> document_pb2.ListDocumentsResponse:
        wanted = document_pb2.ListDocumentsRequest(school_id=school_id, state=state, page_size=_AT_ONCE)
        return await call(self._frame.gateway.documents.ListDocuments, wanted, session.token)


def _title(caller: GetCallerResponse, school_id: str) -> str:
    return next(navigation.refusals_title(school) for school in caller.schools if school.school_id == school_id)


def _signed_words(text: str) -> str:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
    return count(number, ("отказ", "отказа", "отказов")) if number else ""


def _url(request: Request) -> str:
    return people.refusals_url(path_id(request, "school"))
