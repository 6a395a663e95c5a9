"""The portal's week page, by the CPU of the portal alone, beside Starlette and Jinja that render the same bytes.

Both behind uvicorn on uvloop with the same HTTP parser. The page's data comes from the journal through the gateway, which are
not counted: what is set against is the portal's part, so asking and waiting for them is in it.
"""

import multiprocessing
import random
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import jinja2
import psycopg
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from benchmarks import diary
from benchmarks.bench import Bench, side
from benchmarks.contest import Goal, Rival, Row
from benchmarks.cpu import Part
from benchmarks.load import Call, Client, Target, Unit, http_client

READERS = 8
_FAMILIES, _UNITS = 20, 800
_TEMPLATE = "{% for line in lines %}{{ line|safe }}\n{% endfor %}"
_spawn = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class WeekPages:
    """Families open the present week; each loop first has every family do so."""

    calls: tuple[Call, ...]

    @property
    def warm_up(self) -> int:
        return len(self.calls)

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        async def read(client: Client) -> None:
            await client.send(rng.choice(self.calls))

        return read


def run(bench: Bench) -> list[Row]:
    """The portal is one process, so is the bare server."""
    running = bench.running
    families = bench.families[:_FAMILIES]
    with psycopg.connect(running.admin_dsn, autocommit=True) as database:
        sessions = [diary.open_session(database, family.account_id) for family in families]
    portal = running.region.address("portal")

    def calls() -> tuple[Call, ...]:
        signer = diary.new_signer(running)
        return tuple(
            Call(
                f"/schools/{family.school_id}/students/{family.student_id}/week",
                (("cookie", f"diary_access={diary.access_token(signer, family.account_id, 'guardian', session)}"),),
            )
            for family, session in zip(families, sessions, strict=True)
        )

    def load(address: str, pid: int, source: WeekPages) -> Target:
        return Target(address, http_client, source, Part((pid,)), READERS, bench.units(_UNITS), has_idle=True)

    page = _fetch(portal, calls()[0])
    print(f"the week page: {len(page):,} bytes", flush=True)
    with _running_bare(page) as (address, pid):
        return bench.run(
            "The portal's week page",
            side(lambda _: load(portal, running.pids["portal"], WeekPages(calls()))),
            [
                Rival(
                    "Starlette + Jinja, the same bytes",
                    side(lambda _: load(address, pid, WeekPages((Call("/", calls()[0].headers),)))),
                    Goal(most=1 / 0.45),
                )
            ],
        )


def _fetch(address: str, call: Call) -> bytes:
    request = urllib.request.Request(f"http://{address}{call.path}", headers=dict(call.headers))
    with urllib.request.urlopen(request) as answer:
        body: bytes = answer.read()
    return body


@contextmanager
def _running_bare(page: bytes) -> Iterator[tuple[str, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = _spawn.Process(target=_serve, args=(port, page.decode().splitlines()))
    server.start()
    assert server.pid is not None
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"127.0.0.1:{port}", server.pid
    finally:
        server.kill()
        server.join()


def _serve(port: int, lines: list[str]) -> None:
    template = jinja2.Environment(autoescape=True).from_string(_TEMPLATE)

    async def show(request: Request) -> HTMLResponse:
        return HTMLResponse(template.render(lines=lines))

    application = Starlette(routes=[Route("/", show)])
    config = uvicorn.Config(application, port=port, log_config=None, access_log=False, server_header=False)
    uvloop.run(uvicorn.Server(config).serve())
