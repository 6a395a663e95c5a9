"""What every page is given."""

from dataclasses import dataclass

from apps.portal.gateway import Gateway
from apps.portal.render import Renderer
from apps.portal.sessions import Sessions
from chassis.clock import Clock


@dataclass(frozen=True)
class Frame:
    """The gateway, sessions, templates and the clock."""

    gateway: Gateway
    sessions: Sessions
    renderer: Renderer
    clock: Clock
