"""What every request passes: a foreign site's post is refused, an answer gets its headers, the log a line."""

import re
import time
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.portal.gateway import client_address
from chassis import calls, log

_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    # Not no-referrer: with it browsers send «Origin: null» with our own forms, and the check below needs the origin.
    "referrer-policy": "same-origin",
}
# Of this name alone: what else the region has under it is not ours to decide.
_SECURE_HEADERS = {"strict-transport-security": "max-age=31536000"}
_REQUEST_ID = re.compile(r"[0-9a-f-]{32,36}")


class Guard:
    """The one piece around all pages."""

    def __init__(self, app: ASGIApp, refusal: Response, *, is_secure: bool) -> None:
        self._app, self._refusal = app, refusal
        self._is_secure = is_secure
        self._headers = _HEADERS | _SECURE_HEADERS if is_secure else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        headers = Headers(scope=scope)
        request_id = scope["request_id"] = _request_id(headers)
        client_address.set(headers.get("x-diary-client-address", ""))
        scope["is_secure"] = self._is_secure
        is_static = scope["path"].startswith("/static/")

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                added = MutableHeaders(scope=message)
                added.update(self._headers)
                added["cache-control"] = "public, max-age=31536000, immutable" if is_static else "no-store"
            await send(message)

        app = self._app if _is_safe(scope["method"], headers) else self._refusal
        # What the page asks of the services bears the page's own id.
        calls.bind({"x-request-id": request_id, "traceparent": headers.get("traceparent", "")}, None)
        try:
            await app(scope, receive, send_guarded)
        except Exception:
            # Starlette raises again what it has already logged and shown as a page.
            if not status:
                raise
        finally:
            if scope["path"] != "/healthz":
                milliseconds = round((time.perf_counter() - began) * 1000, 1)
                log.logger().info(
                    "request", method=scope["method"], path=scope["path"], status=status, milliseconds=milliseconds
                )


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else str(uuid4())


def _is_safe(method: str, headers: Headers) -> bool:
    """Whether a request changes nothing, or comes from a page of ours. Browsers name the origin of every post."""
    if method in ("GET", "HEAD"):
        return True
    site = headers.get("sec-fetch-site")
    if site:
        return site in ("same-origin", "none")
    return headers.get("origin", "").partition("://")[2] == headers.get("host")
