"""Prometheus finds every service where its operator is, and nothing of it is asked for where it is not."""

import yaml

from deploy.charts.tools import ROOT
from tests.charts.support import MONITORING, Document, find, render, staged

# monitoring.coreos.com/v1, as far as we use it.
MONITOR_FIELDS = {"selector", "endpoints"}
ENDPOINT_FIELDS = {"port", "path", "interval", "relabelings"}
RULE_FIELDS = {"alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"}


def of_kind(documents: list[Document], kind: str) -> list[Document]:
    return [d for d in documents if d["kind"] == kind]


def test_monitor_finds_exactly_the_service_that_has_its_port() -> None:
    documents = render("diary-plain", apis=(MONITORING,))
    found = {}
    for monitor in of_kind(documents, "ServiceMonitor"):
        assert set(monitor["spec"]) == MONITOR_FIELDS
        [endpoint] = monitor["spec"]["endpoints"]
        assert set(endpoint) <= ENDPOINT_FIELDS
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        services = [s for s in of_kind(documents, "Service") if wanted <= s["metadata"]["labels"].items()]
        ports = [p["port"] for s in services for p in s["spec"]["ports"] if p["name"] == endpoint["port"]]
        found[monitor["metadata"]["name"]] = ports
    assert found == {
        "diary-access": [9101],
        "diary-journal": [9102],
        "diary-notify": [9103],
        "diary-documents": [9104],
        "diary-gateway": [9901],
    }


def test_rules_are_those_of_deploy_alerts() -> None:
    rule = find(render("diary-everything", apis=(MONITORING,)), "PrometheusRule", "diary")
    assert rule["spec"] == yaml.safe_load((ROOT / "deploy" / "alerts" / "diary.rules.yaml").read_text())
    assert set(rule["spec"]) == {"groups"}
    for group in rule["spec"]["groups"]:
        assert {"name", "rules"} <= set(group) <= {"name", "rules", "interval", "limit"}
        for one in group["rules"]:
            assert set(one) <= RULE_FIELDS


def test_prometheus_finds_monitors_and_rules_by_the_labels_it_asks_for() -> None:
    kinds = ("ServiceMonitor", "PrometheusRule")
    for case, label in (("diary-everything", "prometheus"), ("diary-plain", None)):
        found = [d for d in render(case, apis=(MONITORING,)) if d["kind"] in kinds]
        assert len(found) == 6
        assert {d["metadata"]["labels"].get("release") for d in found} == {label}


def test_each_dashboard_comes_as_a_config_map() -> None:
    documents = render("diary-plain", apis=(MONITORING,))
    made = {name for d in of_kind(documents, "ConfigMap") for name in d["data"] if "dashboard" in d["metadata"]["name"]}
    assert made == {path.name for path in (ROOT / "deploy" / "dashboards").glob("*.json")}
    assert made == {path.name for path in (staged("diary") / "files" / "dashboards").glob("*.json")}


def test_without_the_operator_nothing_of_it_is_asked_for() -> None:
    kinds = {d["kind"] for d in render("diary-plain")}
    assert not kinds & {"ServiceMonitor", "PrometheusRule"}
