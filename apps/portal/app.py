"""The application: its pages, and the pages of errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from apps.portal.account.pages.activate import ActivatePages
from apps.portal.account.pages.second_factor import SecondFactorPages
from apps.portal.account.pages.sign_in import SignInPages
from apps.portal.callers import Callers
from apps.portal.class_teacher.pages import PrintoutPages
from apps.portal.family.pages.informing import InformingPages
from apps.portal.family.pages.notices import NoticePages
from apps.portal.family.pages.own_cases import OwnCasePages
from apps.portal.family.pages.own_statement import OwnStatementPages
from apps.portal.family.pages.week import WeekPages
from apps.portal.frame import Frame
from apps.portal.gateway import Gateway, GatewayError
from apps.portal.guard import Guard
from apps.portal.head.pages.deadlines import DeadlinePages
from apps.portal.head.pages.refusals import RefusalPages
from apps.portal.head.pages.school import SchoolPages
from apps.portal.home.pages import HomePages
from apps.portal.navigation import build_navigation
from apps.portal.office.pages.applications import ApplicationPages
from apps.portal.office.pages.case import CasePages
from apps.portal.office.pages.declarations import DeclarationPages
from apps.portal.office.pages.documents import DocumentPages
from apps.portal.office.pages.imports import ImportPages
from apps.portal.office.pages.statements import StatementPages
from apps.portal.public.pages.design import DesignPages
from apps.portal.public.pages.verify import PublicPages
from apps.portal.render import STATIC, Renderer
from apps.portal.sessions import Sessions
from apps.portal.teacher.pages.journal import JournalPages
from apps.portal.teacher.pages.lessons import LessonPages
from chassis import log
from chassis.clock import Clock
from diary.access.v1.session_service_pb2 import GetCallerResponse


@dataclass(frozen=True)
class Advice:
    """A page of an error: what happened and what to do."""

    title: str
    text: str
    # Asking once more may help.
    may_repeat: bool = False


_ADVICE = {
    400: Advice("Запрос не понят", "Откройте страницу заново и повторите действие."),
    403: Advice(
        "Эта страница вам не открыта",
        "Она для сотрудников школы с другими обязанностями. Если она нужна вам в работе, обратитесь к администратору дневника.",
    ),
    404: Advice("Такой страницы нет", "Её нет, или она открыта не вам. Проверьте адрес или начните с главной страницы."),
    405: Advice("Так эту страницу открыть нельзя", "Начните с главной страницы."),
    429: Advice("Слишком много запросов", "Подождите минуту и обновите страницу.", may_repeat=True),
    500: Advice(
        "Что-то сломалось",
        "Мы записали ошибку. Повторите через минуту; если не поможет, сообщите в школу номер ниже.",
        may_repeat=True,
    ),
    503: Advice(
        "Дневник сейчас недоступен",
        "Обычно это меньше минуты. Обновите страницу: если вы что-то отправляли, оно отправится снова и не удвоится.",
        may_repeat=True,
    ),
}
_FOREIGN = Advice(
    "Запрос пришёл с другого сайта", "Ничего не изменилось. Откройте дневник и повторите действие на его странице."
)
# Malformed ids stand in the address, so for the person it is a page that does not exist: like absent and not theirs.
_STATUSES = {
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.INVALID_ARGUMENT: 404,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 503,
}


class _ErrorPages:
    """Turns errors into pages that say what to do."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.handlers = {GatewayError: self._on_gateway, HTTPException: self._on_http, Exception: self._on_any}

    async def _on_gateway(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, GatewayError)
        status = _STATUSES.get(error.code, 500)
        if status >= 500:
            log.logger().warning("gateway_refused", code=error.code.name, reason=error.reason)
        return await self._page(request, status)

    async def _on_http(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return await self._page(request, error.status_code)

    async def _on_any(self, request: Request, error: Exception) -> Response:
        log.logger().error("page_failed", request_id=request.scope["request_id"], exc_info=error)
        return await self._page(request, 500)

    async def _page(self, request: Request, status: int) -> Response:
        """The page of an error; who is signed in keeps the head of the page, and cookies renewed on the way."""
        advice = _ADVICE.get(status, _ADVICE[500])
        request_id = request.scope["request_id"] if status == 500 else ""
        carried = Response()
        token = self._frame.sessions.carry(request, carried)
        caller = await self._find_caller(token, status) if token else None
        nav = build_navigation(caller, "") if caller else None
        # A form is sent again by the browser's own button alone, which asks first.
        again = advice.may_repeat and request.method == "GET"
        response = self._frame.renderer.page("error.html", status, nav=nav, advice=advice, request_id=request_id, again=again)
        for cookie in carried.headers.getlist("set-cookie"):
            response.headers.append("set-cookie", cookie)
        if status == 503:
            response.headers["retry-after"] = "5"
        return response

    async def _find_caller(self, token: str, status: int) -> GetCallerResponse | None:
        """Who is signed in; nobody is asked when something is amiss already."""
        try:
            return await self._frame.callers.get(token) if status < 500 else self._frame.callers.known(token)
        except GatewayError:
            return None


def build(gateway: Gateway, clock: Clock, url: str) -> Guard:
    """The application over a gateway; `url` is where people open it."""
    renderer, callers, is_secure = Renderer(), Callers(gateway, clock), url.startswith("https://")
    frame = Frame(gateway, Sessions(gateway, clock, is_secure=is_secure), callers, renderer, clock)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await gateway.close()

    pages = Starlette(
        routes=[
            Route("/healthz", _answer_health),
            *HomePages(frame).routes,
            *SignInPages(frame).routes,
            *ActivatePages(frame).routes,
            *WeekPages(frame).routes,
            *JournalPages(frame).routes,
            *LessonPages(frame).routes,
            *NoticePages(frame).routes,
            *ApplicationPages(frame).routes,
            *CasePages(frame).routes,
            *DeadlinePages(frame).routes,
            *StatementPages(frame).routes,
            *RefusalPages(frame).routes,
            *DocumentPages(frame).routes,
            *DeclarationPages(frame).routes,
            *DesignPages(frame).routes,
            *InformingPages(frame).routes,
            *OwnStatementPages(frame).routes,
            *OwnCasePages(frame).routes,
            *SecondFactorPages(frame).routes,
            *ImportPages(frame).routes,
            *SchoolPages(frame).routes,
            *PublicPages(frame).routes,
            *PrintoutPages(frame).routes,
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers=_ErrorPages(frame).handlers,
        lifespan=lifespan,
    )
    refusal = renderer.page("error.html", 403, advice=_FOREIGN, request_id="", again=False)
    return Guard(pages, refusal, is_secure=is_secure)


async def _answer_health(_request: Request) -> Response:
    return PlainTextResponse("ok")
