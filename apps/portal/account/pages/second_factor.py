"""«Второй фактор»: a secret for one-time codes, shown once, then confirmed by a code."""

import grpc
import segno
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.portal import flash, people, roles
from apps.portal.asked import MENDED_IN_FORM, read_code, read_form
from apps.portal.frame import Frame
from apps.portal.gateway import GatewayError, call
from apps.portal.ids import new_id
from apps.portal.reasons import sentence, wait_for_retry
from apps.portal.sessions import Session
from diary.access.v1 import session_service_pb2 as pb

# A wrong password or code is UNAUTHENTICATED, and yet the session is well.
_MENDED_REASONS = frozenset({"SIGN_IN_FAILED", "CODE_WRONG"})


class SecondFactorPages:
    """The secret stands in one answer and is kept nowhere: not in the address, not in a field, not in the portal."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        page = frame.sessions.page
        self.routes = [
            Route(people.SECOND_FACTOR_URL, page(self._show), methods=["GET"]),
            Route(people.SECOND_FACTOR_URL, page(self._enrol), methods=["POST"]),
            Route(f"{people.SECOND_FACTOR_URL}/confirm", page(self._confirm), methods=["POST"]),
        ]

    async def _show(self, request: Request, session: Session) -> Response:
        return await self._page(request, session, flash.read(request) or "password")

    async def _enrol(self, request: Request, session: Session) -> Response:
        form = await read_form(request)
        wanted = pb.EnrolTotpRequest(request_id=form.get("request_id", ""), password=form.get("password", ""))
        if not wanted.password:
            return await self._page(request, session, "password", 422, "Введите пароль.")
        try:
            answer = await call(self._frame.gateway.sessions.EnrolTotp, wanted, session.token)
        except GatewayError as error:
            return await self._refuse(request, session, error, "password")
        return await self._page(request, session, "code", secret=answer.secret, link=answer.link)

    async def _confirm(self, request: Request, session: Session) -> Response:
        form = await read_form(request)
        code = read_code(form)
        if not code:
            return await self._page(request, session, "code", 422, "Введите шесть цифр кода из приложения.")
        wanted = pb.ConfirmTotpRequest(request_id=form.get("request_id", ""), one_time_code=code)
        try:
            await call(self._frame.gateway.sessions.ConfirmTotp, wanted, session.token)
        except GatewayError as error:
            step = "code" if error.reason in ("CODE_WRONG", "CODE_BLOCKED") else "password"
            return await self._refuse(request, session, error, step)
        return flash.redirect(request, people.SECOND_FACTOR_URL, "confirmed")

    async def _refuse(self, request: Request, session: Session, error: GatewayError, step: str) -> Response:
        if error.code == grpc.StatusCode.RESOURCE_EXHAUSTED:
            problem = wait_for_retry(error.reason, error.metadata, self._frame.clock.now())
            return await self._page(request, session, step, 429, problem)
        if error.code not in MENDED_IN_FORM and error.reason not in _MENDED_REASONS:
            raise error
        problem = "Пароль не подошёл." if error.reason == "SIGN_IN_FAILED" else sentence(error.reason)
        return await self._page(request, session, step, 422, problem)

    async def _page(
        self,
        request: Request,
        session: Session,
        step: str,
        status: int = 200,
        problem: str = "",
        *,
        secret: str = "",
        link: str = "",
    ) -> Response:
        caller = await self._frame.callers.ask(session.token)
        if step == "password" and caller.has_second_factor:
            step = "has"
        signing = [school.school_id for school in caller.schools if roles.may(caller, school.school_id, roles.SIGN)]
        return self._frame.page(
            "account/second_factor.html",
            request,
            caller,
            status,
            step=step,
            problem=problem,
            # By fours, as it is typed.
            secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
            qr=segno.make(link, micro=False).svg_inline(scale=5, border=4) if link else "",
            link=link,
            refusals_url=people.refusals_url(signing[0]) if signing else "",
            request_id=new_id(self._frame.clock),
            url=people.SECOND_FACTOR_URL,
        )
