"""NetworkPolicies let through the calls that the code makes, and no others."""

import ast
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import yaml

from deploy.charts.tools import ROOT
from tests.charts.support import Document, pods, render, staged
from tests.charts.test_environment import CONFIGS, SERVICES, settings_of
from tests.contract.test_declarations import METHODS, declared

Edge = tuple[str, str]

# Where each is called; the gateway by the portal alone, at a door of its own.
PORTS = {"access": 50051, "journal": 50052, "notify": 50053, "documents": 50054, "gateway": 8082, "portal": 8081}
DOOR = 8080
METRICS = {"access": 9101, "journal": 9102, "notify": 9103, "documents": 9104, "gateway": 9901}


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    return render("diary-plain") + render("backends-plain")


def named_in_config() -> set[Edge]:
    """Whom a service or the portal has an address of."""
    fields = {name: settings_of(name).model_fields for name in CONFIGS}
    return {
        (name, field.removesuffix("_address"))
        for name, known in fields.items()
        for field in known
        if field.endswith("_address")
    }


def called_in_code() -> set[Edge]:
    """Whose stubs a service makes."""
    files = [(name, path) for name in SERVICES for path in (ROOT / "services" / name).rglob("*.py")]
    return {(name, callee) for name, path in files for callee in _stubs(ast.parse(path.read_text()))}


def _stubs(tree: ast.Module) -> Iterator[str]:
    imported = {
        alias.asname or alias.name: str(node.module).split(".")[1]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("diary.")
        for alias in node.names
    }
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    for called in calls:
        if called.attr.endswith("Stub") and isinstance(called.value, ast.Name) and called.value.id in imported:
            yield imported[called.value.id]


def routed_by_gateway() -> set[Edge]:
    bootstrap = yaml.safe_load((staged("gateway") / "files" / "envoy.yaml").read_text())
    return {("gateway", cluster["name"]) for cluster in bootstrap["static_resources"]["clusters"]}


def labels_of(documents: list[Document]) -> dict[str, dict[str, str]]:
    """The labels of each pod by its name in the policies."""
    made = {pod["metadata"]["labels"]["app.kubernetes.io/name"]: pod["metadata"]["labels"] for pod in pods(documents).values()}
    return {**made, "postgres": {"cnpg.io/cluster": "diary-postgres"}}


def let_through(documents: list[Document], direction: str, pod: str, port: int) -> set[str]:
    """The pods of the namespace that the policies of `pod` let through at `port`: `ingress` or `egress`."""
    labels = labels_of(documents)
    policies = [
        d["spec"] for d in documents if d["kind"] == "NetworkPolicy" and _selects(d["spec"]["podSelector"], labels[pod])
    ]
    rules = [rule for policy in policies for rule in policy.get(direction, []) if port in {p["port"] for p in rule["ports"]}]
    peers = [peer for rule in rules for peer in rule.get("from" if direction == "ingress" else "to", [])]
    inside = [peer["podSelector"] for peer in peers if "namespaceSelector" not in peer and "podSelector" in peer]
    return {name for name, other in labels.items() if any(_selects(selector, other) for selector in inside)}


def _selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    wanted = {key: {value} for key, value in selector.get("matchLabels", {}).items()}
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In"
        wanted[expression["key"]] = set(expression["values"])
    return all(labels.get(key) in values for key, values in wanted.items())


def test_calls_of_the_code_are_those_of_its_config() -> None:
    assert called_in_code() == {edge for edge in named_in_config() if edge[0] in SERVICES}


def test_calls_of_the_code_are_those_that_the_protos_allow() -> None:
    allowed = {(caller, name.split(".")[1]) for name, method in METHODS.items() for caller in declared(method).callers}
    assert called_in_code() == allowed


def test_policies_let_through_the_calls_of_the_code_and_no_others(documents: list[Document]) -> None:
    called = named_in_config() | routed_by_gateway()
    names = [*PORTS, "test", "nats", "postgres"]
    out = {(a, b) for a, b in product(names, PORTS) if b in let_through(documents, "egress", a, PORTS[b])}
    into = {(a, b) for a, b in product(names, PORTS) if a in let_through(documents, "ingress", b, PORTS[b])}
    assert out == called
    assert into == called
    assert let_through(documents, "ingress", "gateway", DOOR) == {"test"}
    assert "gateway" in let_through(documents, "egress", "test", DOOR)


@pytest.mark.parametrize(("backend", "port"), [("postgres", 5432), ("nats", 4222)])
def test_services_reach_their_backends_and_nobody_else_does(documents: list[Document], backend: str, port: int) -> None:
    among_themselves = {"postgres"} if backend == "postgres" else set()
    assert let_through(documents, "ingress", backend, port) == {*SERVICES, *among_themselves}
    out = {name for name in labels_of(documents) if backend in let_through(documents, "egress", name, port)}
    assert out == {*SERVICES, *among_themselves}


def test_every_pod_is_named_by_a_policy_and_all_others_are_denied(documents: list[Document]) -> None:
    policies = [d["spec"] for d in documents if d["kind"] == "NetworkPolicy"]
    assert all(policy["policyTypes"] == ["Ingress", "Egress"] for policy in policies)
    deny = [policy for policy in policies if policy["podSelector"] == {}]
    assert deny == [{"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}]
    named = [policy for policy in policies if policy["podSelector"]]
    for labels in labels_of(documents).values():
        assert any(_selects(policy["podSelector"], labels) for policy in named)


def test_ways_out_of_the_namespace_are_names_mail_and_the_api_server_of_the_database(documents: list[Document]) -> None:
    ways = set()
    for policy in (d for d in documents if d["kind"] == "NetworkPolicy"):
        for rule in policy["spec"].get("egress", []):
            if not all("podSelector" in peer and "namespaceSelector" not in peer for peer in rule.get("to", [{}])):
                ways |= {(policy["metadata"]["name"], port["port"]) for port in rule["ports"]}
    beyond = {way for way in ways if way[1] != 53}
    assert beyond == {("diary-notify", 587), ("diary-postgres", 443), ("diary-postgres", 6443)}


def test_metrics_are_read_from_the_namespace_of_monitoring_only(documents: list[Document]) -> None:
    policies = {d["metadata"]["name"]: d["spec"] for d in documents if d["kind"] == "NetworkPolicy"}
    for name, port in METRICS.items():
        [rule] = [r for r in policies[f"diary-{name}"]["ingress"] if port in {p["port"] for p in r["ports"]}]
        assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]


def test_the_door_is_open_to_clients_only_at_the_gateway(documents: list[Document]) -> None:
    open_to_all = {
        (d["metadata"]["name"], port["port"])
        for d in documents
        if d["kind"] == "NetworkPolicy"
        for rule in d["spec"].get("ingress", [])
        if any("ipBlock" in peer for peer in rule.get("from", [{"ipBlock": {}}]))
        for port in rule["ports"]
    }
    assert open_to_all == {("diary-gateway", DOOR)}


def test_addresses_of_the_gateway_are_services_of_the_charts(documents: list[Document]) -> None:
    bootstrap = yaml.safe_load((staged("gateway") / "files" / "envoy.yaml").read_text())
    served = {(d["metadata"]["name"], p["port"]) for d in documents if d["kind"] == "Service" for p in d["spec"]["ports"]}
    for cluster in bootstrap["static_resources"]["clusters"]:
        [endpoints] = cluster["load_assignment"]["endpoints"]
        [endpoint] = endpoints["lb_endpoints"]
        socket = endpoint["endpoint"]["address"]["socket_address"]
        assert (socket["address"], socket["port_value"]) in served
