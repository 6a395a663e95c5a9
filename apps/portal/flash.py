"""One word for the next page: what has just been done. In a cookie and not in the address, which anyone can write or reload."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

_COOKIE = "diary_flash"
# Longer than a slow redirect takes; a page that never came is not told of hours later.
_SECONDS = 60


def redirect(request: Request, url: str, word: str) -> Response:
    """To a page after something was done; `word` says what, to that page and once."""
    response = RedirectResponse(url, status_code=303)
    path = url.partition("?")[0].partition("#")[0]
    put(request, response, word, path)
    return response


def put(request: Request, response: Response, word: str, path: str = "") -> None:
    """Keeps the word for the page at that path; for whichever comes next where none is named."""
    value = f"{quote(word, safe='')}~{quote(path, safe='')}"
    response.set_cookie(_COOKIE, value, max_age=_SECONDS, httponly=True, samesite="lax", secure=request.scope["is_secure"])


def read(request: Request) -> str:
    """What was just done, for the page of this address; empty when nothing was."""
    word, _, path = request.cookies.get(_COOKIE, "").partition("~")
    return word if path in ("", quote(request.url.path, safe="")) else ""


def drop(request: Request, response: Response) -> None:
    """Forgets the word once a page was shown."""
    if _COOKIE in request.cookies:
        response.delete_cookie(_COOKIE, httponly=True, samesite="lax")
