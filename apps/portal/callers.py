"""Who is signed in, remembered for a moment."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from apps.portal.gateway import Gateway, call
from chassis.clock import Clock
from diary.access.v1.session_service_pb2 import GetCallerRequest, GetCallerResponse

Answer = TypeVar("Answer")

_REMEMBERED = timedelta(seconds=10)
_MOST = 2_000


@dataclass
class Callers:
    """Answers of GetCaller by access token, for ten seconds: names, roles and links at the head of a page seldom change.

    They open nothing. The page's own data is asked for each time, so an ended access or session is refused at once all the
    same; a page made of this answer alone must `ask` anew.
    """

    gateway: Gateway
    clock: Clock
    _kept: dict[str, tuple[datetime, GetCallerResponse]] = field(default_factory=dict)

    async def get(self, token: str) -> GetCallerResponse:
        """The caller as known a moment ago."""
        return self.known(token) or await self.ask(token)

    async def beside(self, token: str, asked: Coroutine[Any, Any, Answer]) -> tuple[GetCallerResponse, Answer]:
        """The caller with what a page asks for; both are asked at the same time when the caller is not known."""
        known = self.known(token)
        if known:
            # No task for what need not wait for another: it would cost a tenth of the page.
            return known, await asked
        caller, answer = await asyncio.gather(self.ask(token), asked)
        return caller, answer

    async def ask(self, token: str) -> GetCallerResponse:
        """The caller as access knows it now."""
        answer = await call(self.gateway.sessions.GetCaller, GetCallerRequest(), token)
        now = self.clock.now()
        self._kept.pop(token, None)
        self._forget(now)
        self._kept[token] = (now + _REMEMBERED, answer)
        return answer

    def known(self, token: str) -> GetCallerResponse | None:
        """The caller as known a moment ago; None for one to be asked for."""
        until, answer = self._kept.get(token, (None, None))
        return answer if until and until > self.clock.now() else None

    def _forget(self, now: datetime) -> None:
        """Drops what is over, and the oldest above the limit: entries stand in order of their time."""
        while self._kept:
            oldest, (until, _) = next(iter(self._kept.items()))
            if until > now and len(self._kept) < _MOST:
                return
            del self._kept[oldest]
