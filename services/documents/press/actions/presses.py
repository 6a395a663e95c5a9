"""The presses of a process: each makes files one at a time, so that the largest of them bounds the memory."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from prometheus_client import Counter, Histogram

from chassis.errors import ResourceExhausted

_Pages = TypeVar("_Pages")
_File = TypeVar("_File")

_rendered = Counter("diary_documents_rendered_total", "Documents rendered, by kind", ["kind"])
_render_seconds = Histogram(
    "diary_documents_render_seconds",
    "From the request of a file to the file, waiting included, by kind",
    ["kind"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
for _kind in ("slip", "weekly", "form", "decision", "bundle"):
    _rendered.labels(_kind)
    _render_seconds.labels(_kind)


class Press:
    """Renders in a thread of its own: Typst itself uses several cores. What anyone may ask for has a press apart from the
    office's.
    """

    def __init__(self, waiting: int = 64, seconds: float | None = None) -> None:
        """`waiting`: how many may wait beside the one that is served; `seconds`: how long, None for as long as they like."""
        self._threads = ThreadPoolExecutor(1, "press")
        self._waiting = waiting
        self._seconds = seconds
        self._count = 0

    async def render(self, kind: str, make: Callable[[_Pages], _File], pages: _Pages, count: int = 1) -> _File:
        """What `make` makes of the pages; counted and timed as `count` documents of a kind.

        Raises ResourceExhausted TOO_MANY_WAITING when there is no room to wait, or it took too long. What nobody waits for any
        more is not begun.
        """
        if self._count > self._waiting:
            raise _too_many()
        self._count += 1
        try:
            with _render_seconds.labels(kind).time():
                async with asyncio.timeout(self._seconds):
                    file = await asyncio.get_running_loop().run_in_executor(self._threads, make, pages)
        except TimeoutError as error:
            raise _too_many() from error
        finally:
            self._count -= 1
        _rendered.labels(kind).inc(count)
        return file


def _too_many() -> ResourceExhausted:
    return ResourceExhausted("TOO_MANY_WAITING", "too much waits to be printed now; repeat the call a little later")
