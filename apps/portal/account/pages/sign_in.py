"""Sign-in and sign-out."""

from __future__ import annotations

from typing import NamedTuple

import grpc
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from apps.portal import flash, kept_form
from apps.portal.account.pages.activate import activation_page
from apps.portal.asked import read_code, read_form
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.kept_form import KeptForm, local_path
from apps.portal.reasons import sentence, wait_for_retry
from apps.portal.second_step import SecondStep, Typed
from apps.portal.sessions import BY_CODES, ENDED
from diary.access.v1 import session_service_pb2 as pb

# As the service takes them.
_LOGIN_LENGTH, _PASSWORD_LENGTH = 100, 200
_TOLD_IN_FORM = frozenset(
    {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION}
)
_FORM_KEPT = "Вход истёк, форма ещё не отправлена. Войдите, форма сохранится."
_NO_CODE = "Введите шесть цифр кода из приложения."
_STEP_OVER = "Код ждали слишком долго. Введите логин и пароль ещё раз."
_FORM_LOST = "Вход истёк, форма не отправлена. Войдите и заполните её снова: файлы и пароли не сохраняются."


class _Back(NamedTuple):
    """Where sign-in leads: a page of ours, and the form that waits to be sent."""

    url: str
    kept: str = ""


class SignInPages:
    """`/sign-in` and `/sign-out`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._second_step = SecondStep()
        self.routes = [
            Route("/sign-in", self._show, methods=["GET"]),
            Route("/sign-in", self._sign_in, methods=["POST"]),
            Route("/sign-in/form", self._keep_form, methods=["POST"]),
            Route("/sign-out", self._sign_out, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        back, has_ended = _Back(local_path(request.query_params.get("next", ""))), flash.read(request) == ENDED
        response = self._form(back, has_ended=has_ended)
        flash.drop(request, response)
        return response

    async def _keep_form(self, request: Request) -> Response:
        """A form whose session was over: it is sent again after sign-in, or its page is come back to."""
        if flash.read(request) == BY_CODES:
            response = self._form(_Back(kept_form.read_page(request)), problem=sentence(BY_CODES), status=401)
            flash.drop(request, response)
            return response
        kept = kept_form.keep(request, await request.form(), local_path(request.query_params.get("next", "")))
        if kept is None:
            return self._form(_Back(kept_form.read_page(request)), problem=_FORM_LOST, status=401)
        return self._form(_Back(kept.page, kept.write()), problem=_FORM_KEPT, status=401)

    async def _sign_in(self, request: Request) -> Response:
        form = await read_form(request)
        back, step = _read_back(form), form.get("step", "")
        typed = self._second_step.open(step, self._frame.clock.now()) if step else None
        if step and typed is None:
            return self._form(back, problem=_STEP_OVER, status=422)
        login, password = typed or Typed(form.get("login", "").strip(), form.get("password", ""))
        if not login or not password:
            return self._form(back, login, "Введите логин и пароль.", 422)
        if len(login) > _LOGIN_LENGTH or len(password) > _PASSWORD_LENGTH:
            # To the person simply a wrong one; the gateway's limits are for those who ask it.
            return self._form(back, login[:_LOGIN_LENGTH], sentence("SIGN_IN_FAILED"), 422)
        code = read_code(form)
        if typed and not code:
            return self._form(back, problem=_NO_CODE, status=422, step=step)
        credentials = pb.CreateSessionRequest(login=login, password=password, one_time_code=code)
        try:
            answer = await call(self._frame.gateway.sessions.CreateSession, credentials)
        except GatewayError as error:
            return self._refuse(back, Typed(login, password), step, error)
        kept = kept_form.read(back.kept)
        response = (
            await self._ask_to_send(request, kept, answer) if kept else RedirectResponse(back.url or "/", status_code=303)
        )
        self._frame.sessions.keep(response, answer.tokens)
        return response

    async def _ask_to_send(self, request: Request, kept: KeptForm, answer: pb.CreateSessionResponse) -> Response:
        """Who has signed in is named and sends the form by hand: it may be another than who filled it in."""
        caller = await self._frame.callers.ask(answer.tokens.access_token)
        return self._frame.page("account/send_again.html", request, caller, kept=kept)

    def _refuse(self, back: _Back, typed: Typed, step: str, error: GatewayError) -> Response:
        login = typed.login
        if error.reason == "PASSWORD_NOT_SET":
            # Shown in place: a login does not belong into an address.
            return activation_page(self._frame, {"login": login}, sentence(error.reason), 422)
        if error.code == grpc.StatusCode.RESOURCE_EXHAUSTED:
            return self._form(back, login, wait_for_retry(error.reason, error.metadata, self._frame.clock.now()), 429)
        if error.code not in _TOLD_IN_FORM:
            raise error
        if error.reason == "CODE_MISSING":
            # A step of the way, not a mistake.
            return self._form(back, step=self._keep(typed, step))
        # What is malformed is simply a wrong one.
        reason = "SIGN_IN_FAILED" if error.code == grpc.StatusCode.INVALID_ARGUMENT else error.reason
        return self._form(back, login, sentence(reason), 422, step=self._keep(typed, step) if reason == "CODE_WRONG" else "")

    def _keep(self, typed: Typed, step: str) -> str:
        return step or self._second_step.seal(typed, self._frame.clock.now())

    def _form(
        self,
        back: _Back,
        login: str = "",
        problem: str = "",
        status: int = 200,
        *,
        step: str = "",
        has_ended: bool = False,
    ) -> Response:
        words = {"back": back.url, "kept": back.kept, "login": login, "problem": problem}
        return self._frame.renderer.page("account/sign_in.html", status, **words, step=step, has_ended=has_ended)

    async def _sign_out(self, request: Request) -> Response:
        refresh_token = self._frame.sessions.refresh_token(request)
        response = RedirectResponse("/sign-in", status_code=303)
        if refresh_token:
            try:
                await call(self._frame.gateway.sessions.EndSession, pb.EndSessionRequest(refresh_token=refresh_token))
            except GatewayError as error:
                if error.code == grpc.StatusCode.UNAVAILABLE and error.reason != "ENDING_PENDING":
                    # Not ended: the person must know, and the cookies are needed to try again.
                    raise
        self._frame.sessions.drop(response)
        return response


def _read_back(form: dict[str, str]) -> _Back:
    return _Back(local_path(form.get("next", "")), form.get("kept", ""))
