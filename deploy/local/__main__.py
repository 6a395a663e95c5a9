"""`python -m deploy.local`: a region on this machine, until Ctrl-C."""

import argparse
import asyncio
import errno
import json
import os
import signal
import sys
import time
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.launcher import Launcher
from deploy.local.region import Size

_COLUMNS = ("role", "login", "password", "name", "school", "note", "email")


def main() -> None:
    """Exit 0 when told to stop; 1 with the reason when the region cannot be started."""
    arguments = _parser().parse_args()
    size = Size(arguments.schools, arguments.students, arguments.seed)
    folder = Path(os.environ.get("DIARY_STATE_DIR", ".diary"))
    try:
        asyncio.run(_run(Launcher(folder, size, _tell)))
    except LocalError as error:
        sys.exit(f"diary: {error}")
    except OSError as error:
        sys.exit(f"diary: {_describe(error, folder)}")


async def _run(launcher: Launcher) -> None:
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    began = time.monotonic()
    stop = asyncio.create_task(told_to_stop.wait())
    start = asyncio.create_task(launcher.start())
    try:
        await asyncio.wait({start, stop}, return_when=asyncio.FIRST_COMPLETED)
        if start.done():
            await start
            _tell_ready(launcher, time.monotonic() - began)
            await stop
            _tell("stopping")
    finally:
        start.cancel()
        await asyncio.wait({start})
        await launcher.stop()


def _tell_ready(launcher: Launcher, seconds: float) -> None:
    region = launcher.region
    _tell(f"ready {region.gateway_url} in {seconds:.1f} s; state, keys and logs in {region.state.folder}; Ctrl-C stops")
    if "mail" in launcher.children:
        _tell(f"  letters that the diary sends are shown on {region.mail_url}")
    if not region.state.logins.exists():
        return
    logins = [_COLUMNS, *([str(login.get(c, "")) for c in _COLUMNS] for login in json.loads(region.state.logins.read_text()))]
    widths = [max(map(len, column)) for column in zip(*logins, strict=True)]
    for row in logins:
        _tell("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _tell(line: str) -> None:
    # The region outlives the terminal or the pipe that its launcher talks to.
    try:
        print(line, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - open until the process ends


def _describe(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {folder.resolve()} is full: free some space, or name another folder with DIARY_STATE_DIR"
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local",
        description="Start Diary on this machine and keep it up until Ctrl-C. The first start seeds a demo region.",
        epilog="Variables: DIARY_STATE_DIR (.diary); DIARY_DATABASE_URL, DIARY_NATS_URL, DIARY_ENVOY name a server or "
        "program to use instead of our own; DIARY_GATEWAY_PORT and the like name ports.",
    )
    parser.add_argument("--schools", type=int, metavar="N", help="schools of the seeded region")
    parser.add_argument("--students", type=int, metavar="N", help="students of the seeded region")
    parser.add_argument("--seed", type=int, metavar="S", help="of its random numbers; the same gives the same region")
    return parser


if __name__ == "__main__":
    main()
