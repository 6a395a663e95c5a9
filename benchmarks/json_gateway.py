"""GetDiaryWeek as JSON through the gateway, beside the same Envoy with nothing but the transcoder before the same journal.

The gateway adds tokens, limits, bounds of bodies, an access log. Counted are Envoy, the journal and Postgres; Envoy also alone.
"""

import json
import random
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import diary
from benchmarks.bench import Bench
from benchmarks.contest import Goal, Rival, Row, Side
from benchmarks.cpu import Part
from benchmarks.diary import Family
from benchmarks.load import Call, Client, Measure, Target, Unit, draw_week, http_client, measure
from deploy.local.plan import envoy_path
from deploy.local.ports import Ports

READERS = 16
_FAMILIES, _UNITS, _GOAL_US = 50, 1_600, 600
_DESCRIPTORS = Path(__file__).parents[1] / "gen" / "diary.binpb"


@dataclass(frozen=True)
class JsonWeeks:
    """Weeks as families open them; each loop first has every family open one."""

    families: tuple[Family, ...]
    weeks: tuple[str, ...]

    @property
    def warm_up(self) -> int:
        return len(self.families)

    def unit(self, rng: random.Random, number: int, of: int) -> Unit:
        new = list(self.families)

        async def read(client: Client) -> None:
            family = new.pop() if new else rng.choice(self.families)
            await client.send(json_week(family, self.weeks[draw_week(len(self.weeks), rng)]))

        return read


def json_week(family: Family, week: str) -> Call:
    """A guardian opens a week."""
    return Call(f"/v1/schools/{family.school_id}/students/{family.student_id}/diary?week={week}", family.headers)


def run(bench: Bench) -> list[Row]:
    """Envoy's own CPU of every round is kept beside."""
    running, weeks = bench.running, diary.list_weeks(bench.running)
    own: dict[str, list[float]] = {"gateway": [], "bare": []}

    def load(name: str, address: str, pid: int) -> Side:
        def one(seed: int) -> Measure:
            families = random.Random(seed).sample(bench.families, min(_FAMILIES, len(bench.families)))
            source = JsonWeeks(diary.sign_in(running, families), weeks)
            part = Part((*running.journal.roots, pid), without=running.journal.without)
            target = Target(address, http_client, source, part, READERS, bench.units(_UNITS), after=Part((pid,)), has_idle=True)
            measured = measure(target, seed)
            own[name].append(measured.after_us)
            return replace(measured, after_us=0)

        return one

    with _running_envoy(running.address) as (address, pid):
        rows = bench.run(
            "JSON through the gateway",
            load("gateway", running.region.gateway_url.removeprefix("http://"), running.pids["gateway"]),
            [Rival("Envoy with the transcoder alone", load("bare", address, pid), Goal(most=1 / 0.9))],
        )
    gateway, bare = (median(found) for found in own.values())
    alone = Row(
        "JSON through the gateway",
        f"{gateway:,.0f} us of Envoy",
        "Envoy with the transcoder alone",
        f"{bare:,.0f} us of Envoy",
        goal=f"<= {_GOAL_US} us",
        reached="goal" if gateway <= _GOAL_US else "below",
    )
    return [*rows, alone]


@contextmanager
def _running_envoy(journal: str) -> Iterator[tuple[str, int]]:
    ports = Ports()
    port, admin = ports.reserve(0), ports.reserve(0)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "envoy.json"
        config.write_text(json.dumps(_bootstrap(port, admin, journal)))
        ports.close()
        command = [envoy_path(), "-c", str(config), "--disable-hot-restart", "--concurrency", "2", "--log-level", "error"]
        process = subprocess.Popen(command)
        try:
            _wait(f"http://127.0.0.1:{admin}/ready", process)
            yield f"127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait()


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
    raise SystemExit("benchmark: the bare Envoy did not start")


def _bootstrap(port: int, admin: int, journal: str) -> dict[str, Any]:
    kind = "type.googleapis.com/envoy"
    transcoder = {
        "@type": f"{kind}.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        "proto_descriptor": str(_DESCRIPTORS),
        "services": ["diary.journal.v1.DiaryService"],
    }
    manager = {
        "@type": f"{kind}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bare",
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "journal"}}]}
            ]
        },
        "http_filters": [
            {"name": "transcoder", "typed_config": transcoder},
            {"name": "router", "typed_config": {"@type": f"{kind}.extensions.filters.http.router.v3.Router"}},
        ],
    }
    host, _, upstream = journal.rpartition(":")
    options = {
        "@type": f"{kind}.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    cluster = {
        "name": "journal",
        "type": "STATIC",
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options},
        "load_assignment": {
            "cluster_name": "journal",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(host, int(upstream))}}]}],
        },
    }
    filters = [{"name": "http", "typed_config": manager}]
    listener = {"name": "bare", "address": _address("127.0.0.1", port), "filter_chains": [{"filters": filters}]}
    return {
        "admin": {"address": _address("127.0.0.1", admin)},
        "static_resources": {"listeners": [listener], "clusters": [cluster]},
    }


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}
