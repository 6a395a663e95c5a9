"""Rules that Prometheus takes, each alert tested, explained and with a way to mend what it tells."""

import re
import subprocess

import pytest
import yaml

from deploy.charts.tools import ROOT
from tests.charts.watching import RULES, find_program, read_rules

PAGE = ROOT / "docs" / "operations" / "alerts.md"
ALERTS = {rule["alert"]: rule for rule in read_rules() if "alert" in rule}


@pytest.fixture(autouse=True)
def _packaged() -> None:
    """Rules need neither Helm nor packages."""


def promtool(*arguments: str) -> None:
    done = subprocess.run([find_program("promtool"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_rules() -> None:
    promtool("check", "rules", str(RULES))


def test_alerts_fire_and_keep_still_as_their_tests_say() -> None:
    promtool("test", "rules", str(RULES.with_name("diary.test.yaml")))


def test_each_alert_is_seen_firing_in_a_test() -> None:
    tests = yaml.safe_load(RULES.with_name("diary.test.yaml").read_text())["tests"]
    samples = [s for t in tests for e in t.get("promql_expr_test", []) for s in e["exp_samples"]]
    seen = {found for s in samples for found in re.findall(r'alertname="(\w+)"', s["labels"])}
    seen |= {a["alertname"] for t in tests for a in t.get("alert_rule_test", []) if a["exp_alerts"]}
    assert seen == set(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_alert_says_what_it_is_how_grave_and_what_to_do(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    assert rule["annotations"]["runbook"] == f"docs/operations/alerts.md#{name.lower()}"


def test_page_has_a_section_for_each_alert_and_no_other() -> None:
    assert re.findall(r"^### (\w+)$", PAGE.read_text(), re.MULTILINE) == list(ALERTS)
