"""What every page is given."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from apps.portal import flash
from apps.portal.callers import Callers
from apps.portal.gateway import Gateway
from apps.portal.navigation import build_navigation
from apps.portal.render import Renderer
from apps.portal.sessions import Sessions
from chassis.clock import Clock
from diary.access.v1.session_service_pb2 import GetCallerResponse


@dataclass(frozen=True)
class Frame:
    """The gateway, sessions, who is signed in, templates and the clock."""

    gateway: Gateway
    sessions: Sessions
    callers: Callers
    renderer: Renderer
    clock: Clock

    def page(self, name: str, request: Request, caller: GetCallerResponse, status: int = 200, /, **shown: Any) -> Response:
        """A page of a signed-in account, with its links at the head."""
        response = self.renderer.page(name, status, nav=build_navigation(caller, request.url.path), **shown)
        flash.drop(request, response)
        return response
