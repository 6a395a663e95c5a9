"""The one press of a process: files are made one at a time, so that the largest of them bounds the memory."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from prometheus_client import Counter, Histogram

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
    """Renders in a thread of its own: Typst itself uses several cores."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(1, "press")

    async def render(self, kind: str, make: Callable[[_Pages], _File], pages: _Pages, count: int = 1) -> _File:
        """What `make` makes of the pages; counted and timed as `count` documents of a kind."""
        with _render_seconds.labels(kind).time():
            file = await asyncio.get_running_loop().run_in_executor(self._threads, make, pages)
        _rendered.labels(kind).inc(count)
        return file
