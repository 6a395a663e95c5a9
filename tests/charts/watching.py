"""Prometheus' own programs, and what rules and dashboard ask of them."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from deploy.charts.tools import ROOT, TOOLS
from deploy.dashboards.__main__ import FILE
from deploy.local.launcher import Launcher
from tests.support.envoy import free_port
from tests.support.eventually import eventually

RULES = ROOT / "deploy" / "alerts" / "diary.rules.yaml"
SERVICES = ("access", "journal", "notify", "documents")


def find_program(name: str) -> str:
    """The path of promtool or prometheus; without it the test is left out."""
    path = shutil.which(name) or shutil.which(name, path=TOOLS / "prometheus" / "usr" / "bin")
    if path is None:
        pytest.skip(f"{name} is not here; `make setup-debian` unpacks it")
    return path


def read_rules() -> list[dict[str, Any]]:
    """All rules."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def read_panels() -> Iterator[tuple[str, str]]:
    """Title and expression of each query, with Grafana's variables filled in."""
    for panel in json.loads(FILE.read_text())["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"].replace("$service", ".+").replace("$__rate_interval", "1m")


def addresses(launcher: Launcher) -> dict[str, str]:
    """Where the metrics of each part are."""
    ports = launcher.region.ports
    services = {service: f"http://127.0.0.1:{ports[f'{service}_metrics']}/metrics" for service in SERVICES}
    return services | {"gateway": f"http://127.0.0.1:{ports['gateway_admin']}/stats/prometheus"}


class Prometheus:
    """A running Prometheus."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=10)

    async def ask(self, query: str) -> list[dict[str, Any]]:
        """The samples of a query now."""
        answer = await self._client.get("/query", params={"query": query})
        assert answer.status_code == 200, f"{query}: {answer.text}"
        samples: list[dict[str, Any]] = answer.json()["data"]["result"]
        return samples

    async def list_rules(self) -> list[dict[str, Any]]:
        """The rules and what has become of them."""
        groups = (await self._client.get("/rules")).json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    async def is_ready(self) -> bool:
        """Whether it scrapes everything and its rules have a past of some seconds."""
        try:
            up = await self.ask("up == 1")
            return len(up) == len(SERVICES) + 1 and bool(await self.ask("diary:calls:rate5m"))
        except httpx.TransportError:
            return False

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()


@asynccontextmanager
async def watched(launcher: Launcher, folder: Path) -> AsyncIterator[Prometheus]:
    """Prometheus, watching a region by our rules as in a cluster, only each second."""
    program, port = find_program("prometheus"), free_port()
    jobs = []
    for service, address in addresses(launcher).items():
        url = httpx.URL(address)
        target = {"targets": [f"{url.host}:{url.port}"], "labels": {"service": service}}
        jobs.append({"job_name": service, "metrics_path": url.path, "static_configs": [target]})
    each_second = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config = folder / "prometheus.yaml"
    config.write_text(json.dumps({"global": each_second, "rule_files": [str(RULES)], "scrape_configs": jobs}))
    options = (f"--config.file={config}", f"--storage.tsdb.path={folder}", f"--web.listen-address=127.0.0.1:{port}")
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(program, *options, stdout=log, stderr=log)
    prometheus = Prometheus(f"http://127.0.0.1:{port}")
    try:
        await eventually(prometheus.is_ready, seconds=30, every=0.3, why=f"Prometheus ({folder / 'log'})")
        yield prometheus
    finally:
        await prometheus.close()
        process.terminate()
        await process.wait()
