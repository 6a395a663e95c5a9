"""Commands that run to their end on the way of the start: migrations, seeds."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.process import Process, describe_log

_SHOW_EVERY = 0.3


async def run_module(
    name: str, arguments: list[str], environment: Mapping[str, str], log: Path, show: Callable[[str], None] | None = None
) -> None:
    """Run `python -m …`; its output goes to `log` and, line by line, to `show`. LocalError when it fails."""
    process = Process(name, [sys.executable, "-m", *arguments], log, environment)
    seen = _size(log)
    await process.start()
    ended = asyncio.create_task(process.wait())
    try:
        while not ended.done():
            await asyncio.wait({ended}, timeout=_SHOW_EVERY if show else None)
            if show:
                seen = _show_new_lines(log, seen, show)
    finally:
        await process.stop(2)
    if ended.result() != 0:
        raise LocalError(f"{name} ended with code {ended.result()}; {describe_log(log)}")


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _show_new_lines(log: Path, seen: int, show: Callable[[str], None]) -> int:
    with log.open("rb") as file:
        file.seek(seen)
        new = file.read()
    whole = new[: new.rfind(b"\n") + 1]
    for line in whole.decode(errors="replace").splitlines():
        show(line)
    return seen + len(whole)
