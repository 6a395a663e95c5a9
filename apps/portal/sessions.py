"""Sessions in cookies: an access token that the browser drops before it runs out, a refresh token that renews it."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from apps.portal.gateway import Gateway, GatewayError, call
from apps.portal.once import Once
from chassis.clock import Clock
from diary.access.v1 import session_service_pb2 as pb

ACCESS, REFRESH = "diary_access", "diary_refresh"
# A call under way must not see its token run out.
_BEFORE_EXPIRY = timedelta(seconds=15)


@dataclass
class Session:
    """A signed-in account during one request. `renewed` are tokens that the answer's cookies must carry."""

    token: str
    renewed: pb.SessionTokens | None = None


Page = Callable[[Request, Session], Awaitable[Response]]


class Sessions:
    """Opens sessions from cookies and renews them: at most once a refresh token, whoever asks at the same time."""

    def __init__(self, gateway: Gateway, clock: Clock) -> None:
        self._gateway = gateway
        self._clock = clock
        # A refresh token works once. Requests that left the browser before the new cookies came get the same new pair.
        self._renewals: Once[pb.SessionTokens] = Once()

    def page(self, show: Page) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint for signed-in accounts; others are sent to the sign-in page, and back after it."""

        async def endpoint(request: Request) -> Response:
            try:
                session = request.state.session = await self._open(request)
                response = await self._show(show, request, session)
            except GatewayError as error:
                if error.code != grpc.StatusCode.UNAUTHENTICATED:
                    raise
                return sign_in_redirect(request)
            if session.renewed:
                self.keep(request, response, session.renewed)
            return response

        return endpoint

    def keep(self, request: Request, response: Response, tokens: pb.SessionTokens) -> None:
        """Puts a pair of tokens into the answer's cookies."""
        is_secure = request.headers.get("x-forwarded-proto") == "https"
        lives = {
            ACCESS: (tokens.access_token, tokens.access_expire_time, _BEFORE_EXPIRY),
            REFRESH: (tokens.refresh_token, tokens.refresh_expire_time, timedelta()),
        }
        for name, (token, expires, margin) in lives.items():
            seconds = int((_instant(expires) - margin - self._clock.now()).total_seconds())
            response.set_cookie(name, token, max_age=seconds, httponly=True, samesite="lax", secure=is_secure)

    def carry(self, request: Request, response: Response) -> str:
        """For an answer made outside of a page: puts a pair renewed on the way into its cookies; returns the access token."""
        session: Session | None = getattr(request.state, "session", None)
        if session and session.renewed:
            self.keep(request, response, session.renewed)
        return session.token if session else request.cookies.get(ACCESS, "")

    async def _open(self, request: Request) -> Session:
        token = request.cookies.get(ACCESS)
        return Session(token) if token else await self._renew(request)

    async def _show(self, show: Page, request: Request, session: Session) -> Response:
        """Shows the page; once more with a renewed session when the access token was refused before its time."""
        try:
            return await show(request, session)
        except GatewayError as error:
            if error.code != grpc.StatusCode.UNAUTHENTICATED or session.renewed:
                raise
        renewed = await self._renew(request)
        session.token, session.renewed = renewed.token, renewed.renewed
        # Writes carry the ids of their form, so that showing a page twice writes once.
        return await show(request, session)

    async def _renew(self, request: Request) -> Session:
        refresh_token = request.cookies.get(REFRESH)
        if not refresh_token:
            raise GatewayError(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")
        tokens = await self._refresh(refresh_token)
        return Session(tokens.access_token, tokens)

    async def _refresh(self, refresh_token: str) -> pb.SessionTokens:
        key = hashlib.sha256(refresh_token.encode()).digest()
        return await self._renewals.run(key, self._ask_refresh(refresh_token))

    async def _ask_refresh(self, refresh_token: str) -> pb.SessionTokens:
        request = pb.RefreshSessionRequest(refresh_token=refresh_token)
        return (await call(self._gateway.sessions.RefreshSession, request)).tokens


def sign_in_redirect(request: Request) -> Response:
    """To the sign-in page; a page that was being read is come back to, a form that was sent goes along (`kept_form`)."""
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    query = f"?next={quote(back, safe='/')}" if back != "/" else ""
    # With 307 a browser posts the same form again, there.
    way, status = ("/sign-in", 303) if request.method == "GET" else ("/sign-in/form", 307)
    response = RedirectResponse(f"{way}{query}", status_code=status)
    drop(response)
    return response


def drop(response: Response) -> None:
    """Takes the cookies back."""
    response.delete_cookie(ACCESS, httponly=True, samesite="lax")
    response.delete_cookie(REFRESH, httponly=True, samesite="lax")


def _instant(time: Timestamp) -> datetime:
    return time.ToDatetime(tzinfo=UTC)
