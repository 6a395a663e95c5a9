"""First sign-in: one-time password or the link of a letter, exchanged for an own password."""

import grpc
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from apps.portal import flash
from apps.portal.asked import read_form
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.reasons import sentence, wait_for_retry
from diary.access.v1.credential_service_pb2 import ActivateAccountRequest

_LETTER = "letter"
_TOLD_IN_FORM = frozenset({grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INVALID_ARGUMENT})


class ActivatePages:
    """`/activate`, `/activate#token/login` of a letter, `/activate#/login` of a slip: the script moves both into the form and
    out of the address.

    A fragment is sent to no server, neither with the page's address nor as a referrer, so the token is in no log.
    """

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.routes = [
            Route("/activate", self._show, methods=["GET"]),
            Route("/activate", self._activate, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        return activation_page(self._frame)

    async def _activate(self, request: Request) -> Response:
        form = await read_form(request)
        wanted = _read_request(form)
        if not wanted.activation_token and not (wanted.login and wanted.one_time_password):
            asked = "Вставьте код из письма." if form.get("by") == _LETTER else "Введите логин и одноразовый пароль из памятки."
            return activation_page(self._frame, form, asked, 422)
        if wanted.new_password != form.get("repeated", "") or not wanted.new_password:
            return activation_page(self._frame, form, "Пароли не совпали. Введите свой пароль дважды одинаково.", 422)
        try:
            answer = await call(self._frame.gateway.credentials.ActivateAccount, wanted)
        except GatewayError as error:
            return self._refuse(form, error)
        response = RedirectResponse("/", status_code=303)
        flash.put(request, response, "welcome")
        self._frame.sessions.keep(response, answer.tokens)
        return response

    def _refuse(self, form: dict[str, str], error: GatewayError) -> Response:
        if error.code == grpc.StatusCode.RESOURCE_EXHAUSTED:
            return activation_page(
                self._frame, form, wait_for_retry(error.reason, error.metadata, self._frame.clock.now()), 429
            )
        if error.code not in _TOLD_IN_FORM:
            raise error
        # What is too long to be a login, a code or a one-time password is none that is valid.
        reason = "CREDENTIALS_INVALID" if error.reason == "REQUEST_INVALID" else error.reason
        return activation_page(self._frame, form, sentence(reason), 422)


def activation_page(frame: Frame, form: dict[str, str] | None = None, problem: str = "", status: int = 200) -> Response:
    """The form. First credentials typed are shown again, own passwords never."""
    typed = form or {}
    return frame.renderer.page(
        "account/activate.html",
        status,
        by_letter=typed.get("by") == _LETTER,
        linked="yes" if typed.get("by") == _LETTER and typed.get("linked") and typed.get("token") else "",
        linked_login=typed.get("linked_login", ""),
        token=typed.get("token", ""),
        login=typed.get("login", "").strip(),
        one_time_password=typed.get("one_time_password", ""),
        problem=problem,
    )


def _read_request(form: dict[str, str]) -> ActivateAccountRequest:
    request = ActivateAccountRequest(new_password=form.get("new_password", ""))
    if form.get("by") == _LETTER:
        # The whole link may be pasted as well.
        request.activation_token = form.get("token", "").strip().rpartition("#")[2].partition("/")[0]
    else:
        request.login, request.one_time_password = form.get("login", "").strip(), form.get("one_time_password", "").strip()
    return request
