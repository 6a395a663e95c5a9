"""Sessions in cookies: an access token that the browser drops before it runs out, a refresh token that renews it.

Requests that a browser sends at once may each renew it, in whichever process: for half a minute one token gives each a pair.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from apps.portal import flash
from apps.portal.gateway import Gateway, GatewayError, call
from chassis.clock import Clock
from diary.access.v1 import session_pb2
from diary.access.v1 import session_service_pb2 as pb

SIGN_IN_URL = "/sign-in"
# What the sign-in page says of a session that is over, and of one that wrong codes have ended.
ENDED = "ended"
BY_CODES = "SESSION_ENDED_BY_CODES"
# A call under way must not see its token run out.
_BEFORE_EXPIRY = timedelta(seconds=15)


@dataclass
class Session:
    """A signed-in account during one request. `renewed` are tokens that the answer's cookies must carry."""

    token: str
    renewed: session_pb2.SessionTokens | None = None


Page = Callable[[Request, Session], Awaitable[Response]]


class Sessions:
    """Opens sessions from cookies and renews them."""

    def __init__(self, gateway: Gateway, clock: Clock, *, is_secure: bool) -> None:
        self._gateway = gateway
        self._clock = clock
        self._is_secure = is_secure
        # With this prefix a browser takes the cookie over https and from this very host alone.
        prefix = "__Host-" if is_secure else ""
        self._access, self._refresh = f"{prefix}diary_access", f"{prefix}diary_refresh"

    def page(self, show: Page) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint for signed-in accounts; others are sent to the sign-in page, and back after it."""

        async def endpoint(request: Request) -> Response:
            try:
                session = request.state.session = await self._open(request)
                response = await self._show(show, request, session)
            except GatewayError as error:
                if error.code != grpc.StatusCode.UNAUTHENTICATED:
                    raise
                return self.sign_in_redirect(request, BY_CODES if error.reason == BY_CODES else ENDED)
            if session.renewed:
                self.keep(response, session.renewed)
            return response

        return endpoint

    def keep(self, response: Response, tokens: session_pb2.SessionTokens) -> None:
        """Puts a pair of tokens into the answer's cookies."""
        lives = {
            self._access: (tokens.access_token, tokens.access_expire_time, _BEFORE_EXPIRY),
            self._refresh: (tokens.refresh_token, tokens.refresh_expire_time, timedelta()),
        }
        for name, (token, expires, margin) in lives.items():
            seconds = int((_instant(expires) - margin - self._clock.now()).total_seconds())
            response.set_cookie(name, token, max_age=seconds, httponly=True, samesite="lax", secure=self._is_secure)

    def refresh_token(self, request: Request) -> str:
        """The refresh token of the browser's session; empty without one."""
        return request.cookies.get(self._refresh, "")

    def drop(self, response: Response) -> None:
        """Takes the cookies back."""
        for name in (self._access, self._refresh):
            response.delete_cookie(name, httponly=True, samesite="lax", secure=self._is_secure)

    def sign_in_redirect(self, request: Request, why: str = ENDED) -> Response:
        """To the sign-in page; a page that was being read is come back to, a form that was sent goes along (`kept_form`).

        Who was signed in is told that this is over.
        """
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        query = f"?next={quote(back, safe='/')}" if back != "/" else ""
        # With 307 a browser posts the same form again, there.
        way, status = (SIGN_IN_URL, 303) if request.method == "GET" else (f"{SIGN_IN_URL}/form", 307)
        response = RedirectResponse(f"{way}{query}", status_code=status)
        if self.refresh_token(request) or request.cookies.get(self._access):
            flash.put(request, response, why, SIGN_IN_URL if why == ENDED else way)
        self.drop(response)
        return response

    def carry(self, request: Request, response: Response) -> str:
        """For an answer made outside of a page: puts a pair renewed on the way into its cookies; returns the access token."""
        session: Session | None = getattr(request.state, "session", None)
        if session and session.renewed:
            self.keep(response, session.renewed)
        return session.token if session else request.cookies.get(self._access, "")

    async def _open(self, request: Request) -> Session:
        token = request.cookies.get(self._access)
        return Session(token) if token else await self._renew(request)

    async def _show(self, show: Page, request: Request, session: Session) -> Response:
        """Shows the page; once more with a renewed session when the access token was refused before its time."""
        try:
            return await show(request, session)
        except GatewayError as error:
            if error.code != grpc.StatusCode.UNAUTHENTICATED or error.reason == BY_CODES or session.renewed:
                raise
        renewed = await self._renew(request)
        session.token, session.renewed = renewed.token, renewed.renewed
        # Writes carry the ids of their form, so that showing a page twice writes once.
        return await show(request, session)

    async def _renew(self, request: Request) -> Session:
        refresh_token = self.refresh_token(request)
        if not refresh_token:
            raise GatewayError(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")
        wanted = pb.RefreshSessionRequest(refresh_token=refresh_token)
        tokens = (await call(self._gateway.sessions.RefreshSession, wanted)).tokens
        return Session(tokens.access_token, tokens)


def _instant(time: Timestamp) -> datetime:
    return time.ToDatetime(tzinfo=UTC)
