"""What Helm makes of the charts is what Kubernetes takes."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.charts.build import INSTALLED
from tests.charts import golden
from tests.charts.support import CASES, MONITORING, PLAIN, helm, render, staged

VERSIONS = ("1.30", "1.33", "1.37")
# What an operator brings has no schema in Kubernetes; test_watching.py and the golden files look at these.
OPERATORS = ("monitoring.coreos.com/v1", "postgresql.cnpg.io/v1")


@pytest.mark.parametrize("chart", INSTALLED)
def test_lint_has_nothing_to_say(chart: str) -> None:
    done = helm("lint", "--strict", str(staged(chart)), "--values", str(PLAIN) if chart == "diary" else "/dev/null")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("apis", [(), (MONITORING,)], ids=["bare", "monitoring"])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_kubernetes_knows_every_field(case: str, version: str, apis: tuple[str, ...]) -> None:
    documents = render(case, f"{version}.0", apis)
    own = [d for d in documents if d["apiVersion"] not in OPERATORS]
    assert own
    for document in own:
        _validate(json.dumps(document), version)


@cache
def _validate(document: str, version: str) -> None:
    """Most objects are the same in several cases."""
    kubernetes_validate.validate(json.loads(document), version, strict=True)


def test_a_misspelt_field_is_seen() -> None:
    broken = render("diary-plain")[0] | {"spek": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSIONS[0], strict=True)


@pytest.mark.parametrize("case", golden.CASES)
def test_rendered_objects_are_those_of_the_golden_file(case: str) -> None:
    path = golden.path(case)
    assert path.exists(), f"write it with `python -m tests.charts.golden` and read it: {path}"
    assert golden.text(case) == path.read_text(), "read the difference; `python -m tests.charts.golden` writes it anew"


@pytest.mark.parametrize("case", CASES)
def test_no_two_objects_have_one_name(case: str) -> None:
    names = [(d["kind"], d["metadata"]["name"]) for d in render(case, apis=(MONITORING,))]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"global": {"portalUrl": "diary.example"}}, "portalUrl"),
        ({"notify": {"mail": {"tls": "ssl"}}}, "tls"),
        ({"journal": {"replicas": {"min": 0}}}, "min"),
        ({"journal": {"poolsize": 3}}, "poolsize"),
        ({"global": {"image": {"tag": "latest"}}}, "tag"),
        ({"global": {"databse": {}}}, "databse"),
        ({"gateway": {"ingress": {"enabled": True}}}, "host"),
        ({"gateway": {"clients": []}}, "clients"),
        ({"test": {"loginSecret": ""}}, "loginSecret"),
    ],
)
def test_value_that_cannot_be_meant_is_refused(tmp_path: Path, values: dict[str, Any], why: str) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    done = helm("template", str(staged("diary")), "--values", str(PLAIN), "--values", str(file))
    assert done.returncode != 0
    assert why in done.stderr


def test_what_only_the_region_knows_is_asked_for() -> None:
    done = helm("template", str(staged("diary")))
    assert done.returncode != 0
    assert "/mail/host" in done.stderr
    assert "/mail/from" in done.stderr
    done = helm("template", str(staged("diary")), "--values", str(PLAIN), "--set", "global.portalUrl=")
    assert "global.portalUrl: say where families open the diary" in done.stderr


def test_kubernetes_too_old_is_refused() -> None:
    done = helm("template", str(staged("diary")), "--values", str(PLAIN), "--kube-version", "1.29.0")
    assert "incompatible with Kubernetes" in done.stderr
