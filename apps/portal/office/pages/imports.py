"""«Загрузка списков»: a file is shown line by line before anything changes, confirmed whole or in lines, or given up."""

import grpc
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from apps.portal import people, roles
from apps.portal.asked import FILE_BYTES, MENDED_IN_FORM, path_id, read_files, read_form, read_list
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.ids import new_id
from apps.portal.office.views import imports as views
from apps.portal.reasons import sentence
from apps.portal.sessions import Session
from diary.access.v1 import roster_import_service_pb2 as pb

_IMPORTS = "/schools/{school:uuid}/imports"
_FILE_SECONDS = 30.0
_LINES = 500
_TYPED = ("order_number", "order_date", "enrolled_from")
_FILE_TOO_LARGE = "Файл больше 7 мегабайт. Выгрузите список одной школы, без других данных."


class ImportPages:
    """Lists by file, for the administrator."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        one = f"{_IMPORTS}/{{import:uuid}}"
        self.routes = [
            Route(_IMPORTS, page(self._show), methods=["GET"]),
            Route(_IMPORTS, page(self._upload), methods=["POST"]),
            Route(one, page(self._look), methods=["GET"]),
            Route(f"{one}/confirm", page(self._confirm), methods=["POST"]),
            Route(f"{one}/cancel", page(self._cancel), methods=["POST"]),
        ]

    async def _show(self, request: Request, session: Session) -> Response:
        return await self._form(request, session)

    async def _upload(self, request: Request, session: Session) -> Response:
        form, files = await read_form(request), await read_files(request, "file")
        if not files or not files[0].content:
            return await self._form(request, session, 422, "Выберите файл выгрузки.", form)
        if len(files[0].content) > FILE_BYTES:
            return await self._form(request, session, 413, _FILE_TOO_LARGE, form)
        wanted = pb.CreateRosterImportRequest(
            school_id=path_id(request, "school"),
            request_id=form.get("request_id", ""),
            file_name=files[0].name,
            file=files[0].content,
            enrolment_order_number=form.get("order_number", "").strip(),
            enrolment_order_date=form.get("order_date", ""),
            enrolled_from_date=form.get("enrolled_from", ""),
        )
        try:
            made = await call(self._frame.gateway.imports.CreateRosterImport, wanted, session.token, _FILE_SECONDS)
        except GatewayError as error:
            if error.code not in MENDED_IN_FORM:
                raise
            return await self._form(request, session, MENDED_IN_FORM[error.code], sentence(error.reason, error.fields), form)
        return _to(people.import_url(wanted.school_id, made.import_id))

    async def _look(self, request: Request, session: Session) -> Response:
        return await self._page(request, session)

    async def _confirm(self, request: Request, session: Session) -> Response:
        form, lines = await read_form(request), await read_list(request, "line")
        is_all = form.get("what") == "all"
        if not all(line.isdecimal() and len(line) < 7 for line in lines):
            raise HTTPException(400)
        if not is_all and not lines:
            return await self._page(request, session, 422, "Отметьте хотя бы одну строку.")
        wanted = pb.ConfirmRosterImportRequest(
            school_id=path_id(request, "school"),
            import_id=path_id(request, "import"),
            request_id=form.get("request_id", ""),
            lines=[] if is_all else [pb.ChosenRosterImportLine(number=int(line)) for line in lines],
        )
        try:
            await call(self._frame.gateway.imports.ConfirmRosterImport, wanted, session.token)
        except GatewayError as error:
            return await self._refuse(request, session, error)
        return _to(people.import_url(wanted.school_id, wanted.import_id))

    async def _cancel(self, request: Request, session: Session) -> Response:
        form = await read_form(request)
        wanted = pb.CancelRosterImportRequest(
            school_id=path_id(request, "school"),
            import_id=path_id(request, "import"),
            request_id=form.get("request_id", ""),
        )
        try:
            await call(self._frame.gateway.imports.CancelRosterImport, wanted, session.token)
        except GatewayError as error:
            return await self._refuse(request, session, error)
        return _to(people.import_url(wanted.school_id, wanted.import_id))

    async def _refuse(self, request: Request, session: Session, error: GatewayError) -> Response:
        if error.code not in MENDED_IN_FORM:
            raise error
        return await self._page(request, session, MENDED_IN_FORM[error.code], sentence(error.reason, error.fields))

    async def _form(
        self, request: Request, session: Session, status: int = 200, problem: str = "", typed: dict[str, str] | None = None
    ) -> Response:
        school_id = path_id(request, "school")
        caller = await self._frame.callers.get(session.token)
        if not roles.may(caller, school_id, roles.IMPORT_LISTS):
            # No call of the form itself asks who it is.
            raise GatewayError(grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")
        return self._frame.page(
            "office/imports.html",
            request,
            caller,
            status,
            problem=problem,
            typed={name: (typed or {}).get(name, "") for name in _TYPED},
            request_id=new_id(self._frame.clock),
            url=people.imports_url(school_id),
        )

    async def _page(self, request: Request, session: Session, status: int = 200, problem: str = "") -> Response:
        school_id, import_id = path_id(request, "school"), path_id(request, "import")
        gateway, token = self._frame.gateway.imports, session.token
        kept = await call(gateway.GetRosterImport, pb.GetRosterImportRequest(school_id=school_id, import_id=import_id), token)
        changes = await call(
            gateway.ListRosterImportChanges,
            pb.ListRosterImportChangesRequest(
                school_id=school_id,
                import_id=import_id,
                page_size=_LINES,
                page_token=request.query_params.get("page", ""),
            ),
            token,
        )
        return self._frame.page(
            "office/import.html",
            request,
            await self._frame.callers.get(token),
            status,
            shown=views.build_import(kept.roster_import, changes),
            problem=problem,
            request_ids={act: new_id(self._frame.clock) for act in ("confirm", "cancel")},
            url=people.import_url(school_id, import_id),
            imports_url=people.imports_url(school_id),
        )


def _to(url: str) -> Response:
    return RedirectResponse(url, status_code=303)
