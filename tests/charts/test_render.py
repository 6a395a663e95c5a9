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
from tests.charts.support import CASES, MONITORING, PLAIN, VERSION, helm, pods, render, staged

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
def test_the_number_of_pods_is_not_helms_to_write(case: str) -> None:
    """Else Helm refuses the next upgrade, after its migrations, where `kubectl scale` or an autoscaler changed it."""
    documents = render(case)
    deployments = {d["metadata"]["name"]: d for d in documents if d["kind"] == "Deployment"}
    assert not [name for name, d in deployments.items() if "replicas" in d["spec"]]
    scaled = {d["metadata"]["name"]: d["spec"] for d in documents if d["kind"] == "HorizontalPodAutoscaler"}
    expected = set() if case in ("diary-one-node", "diary-containers") else set(deployments)
    assert set(scaled) == expected


def test_a_fixed_number_of_pods_is_kept_by_the_autoscaler() -> None:
    told = "journal.replicas.min=2,journal.replicas.max=2"
    done = helm("template", str(staged("diary")), "--values", str(PLAIN), "--set", told)
    found = [d for d in yaml.safe_load_all(done.stdout) if d and d["metadata"]["name"] == "diary-journal"]
    [scaler] = [d["spec"] for d in found if d["kind"] == "HorizontalPodAutoscaler"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 2)


@pytest.mark.parametrize(("case", "seconds"), [("diary-plain", 40), ("diary-one-node", 40), ("diary-everything", 15)])
def test_a_pod_that_leaves_serves_until_names_are_forgotten_and_then_has_time_to_drain(case: str, seconds: int) -> None:
    for deployment in (d for d in render(case) if d["kind"] == "Deployment"):
        pod = deployment["spec"]["template"]["spec"]
        [container] = pod["containers"]
        assert container["lifecycle"]["preStop"] == {"sleep": {"seconds": seconds}}
        assert pod["terminationGracePeriodSeconds"] == seconds + 35


def test_only_ready_pods_that_do_not_leave_have_a_name() -> None:
    """publishNotReadyAddresses would keep a leaving pod's address in DNS to its end: no drain could be long enough."""
    services = [d["spec"] for d in render("diary-everything", apis=(MONITORING,)) if d["kind"] == "Service"]
    assert services
    assert not [spec for spec in services if "publishNotReadyAddresses" in spec]


def test_an_image_is_of_its_version_and_of_its_digest_where_one_is_given() -> None:
    for case, version, digest in (("plain", VERSION, ""), ("everything", "1.2.3", f"@sha256:{'a' * 64}")):
        made = pods(render(f"diary-{case}"))
        images = {name: pod["spec"]["containers"][0]["image"].split("/")[-1] for name, pod in made.items()}
        assert images["Deployment diary-journal"] == images["Job diary-journal-migrate"] == f"diary-journal:{version}{digest}"
        assert images["Deployment diary-access"] == f"diary-access:{version}"


def test_after_an_install_the_operator_reads_where_it_is_and_what_to_do_next() -> None:
    ingress = "gateway.ingress.enabled=true,gateway.ingress.host=d.example,gateway.ingress.tlsSecret=t"
    for told, place in (("", "port-forward svc/diary-gateway 8080"), (ingress, "https://d.example")):
        values = ("--values", str(PLAIN), "--set", told)
        done = helm("install", "diary", str(staged("diary")), "--namespace", "diary", "--dry-run=client", *values)
        notes = done.stdout.partition("NOTES:")[2]
        assert f"Diary {VERSION} is in diary" in notes, done.stderr
        assert place in notes
        assert "helm test diary --namespace diary --logs" in notes


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
        ({"global": {"drainSeconds": 0}}, "drainSeconds"),
        ({"global": {"image": {"digests": {"acess": f"sha256:{'0' * 64}"}}}}, "acess"),
        ({"gateway": {"resources": {"limits": {"memory": "1000000"}}}}, "write it as a whole number of Mi, Gi or Ti"),
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
