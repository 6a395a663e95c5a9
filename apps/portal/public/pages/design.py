"""`/design`: all components of the pages, without anybody's data, to look at in every scheme of colours."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from apps.portal.frame import Frame
from apps.portal.people import Link

_URL = "/design"
_TABS = (Link("Первая", _URL, True, "8-А"), Link("Вторая", _URL, False), Link("Третья с длинным названием", _URL, False))


class DesignPages:
    """The one page; it calls nothing, so that it is served to everybody."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.routes = [Route(_URL, self._show)]

    async def _show(self, _request: Request) -> Response:
        return self._frame.renderer.page("public/design.html", url=_URL, tabs=_TABS)
